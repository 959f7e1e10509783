"""One version of a workflow: what it allows, and its diagram with where its instances stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dashboard import connection, sync
from dashboard.cloudflare import Spender
from dashboard.cloudflare.errors import CloudflareError
from dashboard.insight.graph import Node, read_graph
from dashboard.insight.graph_layout import Drawing, draw
from dashboard.models import Version, Workflow, activity
from dashboard.models.activity import StepCount
from dashboard.views.answers import status_of
from dashboard.views.page import HtmxHttpRequest, render_page
from dashboard.views.recently import worked_out
from dashboard.views.version_rows import in_words


@require_safe
def version_detail(
    request: HtmxHttpRequest, account_id: str, workflow_name: str, version_id: str
) -> HttpResponse:
    """The version; its diagram is read from Cloudflare when somebody first asks, and kept."""
    version = _version(account_id, workflow_name, version_id)
    now, failure = timezone.now(), None
    if version.has_dag and version.graph_at is None:
        try:
            client = connection.connect(account_id, spender=Spender.WEB)
            sync.read_graph(client, version, now=now)
        except (CloudflareError, connection.UnknownAccount) as error:
            failure = error
    ctx = {
        "version": version,
        "workflow": version.workflow,
        "success_retention": in_words(version.success_retention),
        "error_retention": in_words(version.error_retention),
        "diagram": Diagram(version, now) if version.graph else None,
        "comparison": version.compared,
        "failure": failure,
        "now": now,
    }
    status = status_of(failure) if isinstance(failure, CloudflareError) else 200
    return render_page(request, "workflow/version.html", fragment="diagram", ctx=ctx, status=status)


def _version(account_id: str, workflow_name: str, version_id: str) -> Version:
    workflows = Workflow.objects.addressed(account_id, workflow_name)
    found = Version.objects.filter(workflow__in=workflows, version_id=version_id)
    version = found.select_related("workflow__account").order_by("-workflow").first()
    if version is None:
        raise Http404(
            _("No version %(version)s of a workflow %(workflow)s is known.")
            % {"version": version_id, "workflow": workflow_name}
        )
    return version


@dataclass(frozen=True)
class Part:
    """The workflow itself, or a function that it calls: drawn, and as a list."""

    node: Node
    drawing: Drawing


class Diagram:
    """The nodes of a version, each with how many instances are in it; worked out at most once in a
    minute."""

    def __init__(self, version: Version, now: datetime) -> None:
        self.version, self.now = version, now

    @cached_property
    def parts(self) -> list[Part]:
        nodes = read_graph(self.version.graph or {})
        return [Part(node, draw(node)) for node in nodes]

    @property
    def has_levels(self) -> bool:
        """Whether the code starts a step and awaits it only later."""
        return any(node.levels for part in self.parts for node in part.node.walk())

    @property
    def at(self) -> datetime:
        """When the instances were counted."""
        return self._counted[0]

    @cached_property
    def counts(self) -> dict[Node, StepCount]:
        """Of each step that has instances in it. Steps of one name cannot be told apart."""
        found: dict[Node, StepCount] = {}
        for step, count in self._counted[1].items():
            for node in self._named(step):
                found.setdefault(node, StepCount()).add(count)
        return found

    @property
    def others(self) -> list[tuple[str, StepCount]]:
        """Steps with instances in them that the diagram does not have."""
        return [item for item in sorted(self._counted[1].items()) if not self._named(item[0])]

    @cached_property
    def _counted(self) -> tuple[datetime, dict[str, StepCount]]:
        key = f"in-steps:{self.version.pk}"
        return worked_out(key, self.now, lambda: activity.in_steps(self.version))

    @cached_property
    def _steps(self) -> Sequence[Node]:
        return [node for part in self.parts for node in part.node.walk() if node.is_step]

    def _named(self, step: str) -> set[Node]:
        exact = {node for node in self._steps if node.name == step}
        return exact or {node for node in self._steps if node.is_named(step)}
