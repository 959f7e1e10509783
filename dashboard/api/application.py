"""The API as a whole: its addresses, its document, and one form for what goes wrong."""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser
from ninja.types import DictStrAny

from dashboard.api import acting, alerts, failures, groups, instances, operations, state, workflows
from dashboard.api.identity import Session, Token
from dashboard.forms.json_text import read_json
from dashboard.problems import CONTENT_TYPE, problem

DESCRIPTION = (
    "What this dashboard knows of Cloudflare Workflows instances, and what can be done with them. "
    "Facts of Cloudflare end in `_on`, the dashboard's own in `_at`. A token of /tokens/ opens it."
)


class StrictParser(Parser):
    """Reads what is JSON, and nothing that cannot be sent on or kept."""

    def parse_body(self, request: HttpRequest) -> DictStrAny:
        """The value; raises ValidationError with a sentence."""
        text = request.body.decode("utf-8", "replace")
        value: DictStrAny = read_json(text)
        return value


class Api(NinjaAPI):
    """Ninja's, whose document tells the true form of what goes wrong."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(**options)
        for methods in document["paths"].values():
            for operation in methods.values():
                for status, told in operation["responses"].items():
                    if int(status) >= 400:
                        told["content"] = {CONTENT_TYPE: told["content"]["application/json"]}
        return document

    def on_exception(self, request: HttpRequest, exc: Any) -> HttpResponse:
        return failures.answer(request, exc)

    def get_openapi_operation_id(self, operation: Any) -> str:
        return str(operation.view_func.__name__)


api = Api(
    title="Workflows dashboard",
    version="1",
    description=DESCRIPTION,
    auth=[Token(), Session(csrf=False)],
    parser=StrictParser(),
    openapi_url=None,
    docs_url=None,
)
for room in (state, workflows, instances, operations, acting, groups, alerts):
    api.add_router("", room.router)


@api.get("/openapi.json", include_in_schema=False)
def openapi(request: HttpRequest) -> DictStrAny:
    """This API, described for programs."""
    return api.get_openapi_schema()


def urls() -> tuple[list[URLPattern], str, str]:
    """Its addresses. It asks for a sign-in itself, and what leads nowhere is told in its form."""
    patterns, app_name, namespace = api.urls
    known = [one for one in patterns if isinstance(one, URLPattern)]
    for pattern in known:
        pattern.callback = _answered(pattern.callback)
    return [*known, re_path("", _answered(_nowhere))], app_name, namespace


def _nowhere(request: HttpRequest) -> HttpResponse:
    raise Http404(f"The API has no {request.path[:200]}; /api/ lists what it has.")


def _answered(view: Any) -> Any:
    """A view that keeps to the API's form, also where it is not reached. No cookie lets anybody
    change something here, so no form of another site can."""

    @csrf_exempt
    @login_not_required
    @wraps(view)
    def answered(request: HttpRequest, **parts: Any) -> HttpResponseBase:
        try:
            response: HttpResponseBase = view(request, **parts)
        except Exception as error:  # noqa: BLE001  (said and logged as any other)
            response = failures.answer(request, error)
        if response.status_code == 405:
            words = f"This is asked by {response.headers['Allow']}, not by {request.method}."
            response = problem(405, words, headers={"Allow": response.headers["Allow"]})
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return answered
