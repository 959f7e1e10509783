"""Request in, response out, as the real API answers. The caller brings sockets and threads."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from . import api_account, api_events, api_instances, api_workflows
from .access import Grant, default_grants, forbidden, identify, unauthenticated
from .context import Context
from .errors import Refusal, no_route
from .feed import Feed
from .messages import Request, Response, refuse
from .queries import Cursors
from .ratelimit import RateLimit
from .world import World

BASE = "/client/v4"
Handler = Callable[..., Response]


@dataclass(frozen=True)
class Route:
    """A path with `*` for each segment that the handler takes."""

    method: str
    path: str
    handler: Handler
    writes: bool = False
    needs: bool = True

    def match(self, method: str, segments: list[str]) -> list[str] | None:
        """The values of the stars, None when the route is another."""
        mine = self.path.split("/")[1:]
        if method != self.method or len(mine) != len(segments):
            return None
        pairs = list(zip(mine, segments, strict=True))
        if any(a not in {"*", b} for a, b in pairs):
            return None
        return [unquote(b) for a, b in pairs if a == "*"]


_W = "/accounts/*/workflows"
_I = _W + "/*/instances"
ROUTES = (
    Route("GET", "/user", api_account.user, needs=False),
    Route("GET", "/user/tokens/verify", api_account.verify_user_token, needs=False),
    Route("GET", "/memberships", api_account.memberships, needs=False),
    Route("GET", "/accounts", api_account.accounts, needs=False),
    Route("GET", "/accounts/*", api_account.account, needs=False),
    Route("GET", "/accounts/*/tokens/verify", api_account.verify_account_token, needs=False),
    Route("POST", "/graphql", api_events.query, needs=False),
    Route("GET", _W, api_workflows.list_workflows),
    Route("GET", _W + "/*", api_workflows.get_workflow),
    Route("PUT", _W + "/*", api_workflows.put_workflow, writes=True),
    Route("DELETE", _W + "/*", api_workflows.delete_workflow, writes=True),
    Route("GET", _W + "/*/versions", api_workflows.list_versions),
    Route("GET", _W + "/*/versions/*", api_workflows.get_version),
    Route("GET", _W + "/*/versions/*/graph", api_workflows.get_graph),
    Route("GET", _I, api_instances.list_instances),
    Route("POST", _I, api_instances.create_instance, writes=True),
    Route("PUT", _I + "/terminate", api_instances.terminate_instances, writes=True),
    Route("POST", _I + "/batch", api_instances.create_instances, writes=True),
    Route("POST", _I + "/batch/delete", api_instances.delete_instances, writes=True),
    Route("GET", _I + "/*", api_instances.get_instance),
    Route("GET", _I + "/*/step", api_instances.get_step),
    Route("PATCH", _I + "/*/status", api_instances.change_status, writes=True),
    Route("POST", _I + "/*/events/*", api_instances.send_event, writes=True),
)
_ACCOUNT_ID = re.compile(r"[0-9a-f]{32}")


class Api:
    """One account behind the API. `old` answers in the shapes of the earlier official pages."""

    def __init__(
        self,
        world: World,
        *,
        rate_limit: int = 1_200,
        old: bool = False,
        grants: dict[str, Grant] | None = None,
        feed: Feed | None = None,
    ) -> None:
        self.world, self.old = world, old
        self.grants = default_grants() if grants is None else grants
        self.feed = feed or Feed()
        self.limit = RateLimit(rate_limit)
        self.cursors = Cursors(world.cursor_seconds, world.seed)
        self.list_lag = 0

    def answer(self, request: Request) -> Response:
        """The response to one request; every failure is an answer too."""
        grant: Grant | None = None
        now = self.world.now
        try:
            grant = identify(request.headers, self.grants)
            response = self.limit.spend(grant.name, now) or self._route(request, grant, now)
        except Refusal as refusal:
            response = refuse(refusal)
        if grant:
            response.headers.update(self.limit.headers(grant.name, now))
        return response

    def _route(self, request: Request, grant: Grant, now: int) -> Response:
        path = request.path.removeprefix(BASE)
        if not request.path.startswith(BASE + "/"):
            raise no_route(request.path)
        segments = path.rstrip("/").split("/")[1:]
        for route in ROUTES:
            values = route.match(request.method, segments)
            if values is not None:
                context = Context(
                    self.world,
                    request,
                    grant,
                    now,
                    self.cursors,
                    self.old,
                    self.list_lag,
                    self.feed,
                )
                self._allow(route, values, grant, request.path)
                return route.handler(
                    context, *(values[1:] if route.path[:11] == "/accounts/*" else values)
                )
        raise no_route(request.path)

    def _allow(self, route: Route, values: list[str], grant: Grant, path: str) -> None:
        if route.path.startswith("/accounts/*"):
            if not _ACCOUNT_ID.fullmatch(values[0]):
                raise no_route(path)
            if values[0] != self.world.account_id:
                raise forbidden()
        if grant.status != "active" and not route.path.endswith("/verify"):
            raise unauthenticated()
        if route.needs and not (grant.writes if route.writes else grant.reads):
            raise forbidden()
