"""What the form of a restart shows before anything is erased: what is kept, what runs again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from urllib.parse import urlencode

from django.db.models import F
from django.urls import reverse
from django.utils.translation import ngettext

from dashboard.cloudflare.types import Step
from dashboard.insight import restart, words
from dashboard.models import Instance, Mark, Version
from dashboard.models.operation import Kind
from dashboard.operations import form_query

#: Rows of a column; how many steps are left out is said.
MOST = 40


@dataclass(frozen=True)
class Line:
    """Steps of one name that follow each other; `mark`: what they do outside."""

    name: str
    number: int
    mark: Mark | None

    @property
    def words(self) -> str:
        return f"{self.name} ×{self.number:,}" if self.number > 1 else self.name


@dataclass(frozen=True)
class Column:
    """Steps that share a fate. `left_out`: lines that are not shown."""

    steps: Sequence[Step]
    marks: Mapping[str, Mark]

    @cached_property
    def lines(self) -> list[Line]:
        """The steps in order, those of one name that stand together folded."""
        runs: list[tuple[str, list[Step]]] = []
        for step in self.steps:
            if not runs or runs[-1][0] != step.base_name:
                runs.append((step.base_name, []))
            runs[-1][1].append(step)
        return [
            Line(
                words.name_of(steps[0]) if len(steps) == 1 else words.cut(name, words.NAME_LIMIT),
                len(steps),
                self.marks.get(name),
            )
            for name, steps in runs
        ]

    @property
    def shown(self) -> list[Line]:
        """Those that are marked first: nothing that does something outside is left out."""
        marked = [line for line in self.lines if line.mark]
        rest = [line for line in self.lines if not line.mark]
        if len(self.lines) <= MOST:
            return self.lines
        return [*marked, *islice(rest, max(0, MOST - len(marked)))]

    @property
    def left_out(self) -> int:
        return len(self.lines) - len(self.shown)

    @property
    def marked(self) -> list[Line]:
        """One line for each mark among them."""
        return list({line.mark.pk: line for line in self.lines if line.mark}.values())


@dataclass(frozen=True)
class RestartPreflight:
    """`chosen`: the index of the step to restart from as a form has it, "" for the beginning."""

    instance: Instance
    chosen: str

    @property
    def address(self) -> str:
        """The form's own, but for the step."""
        return f"{reverse('new-operation')}?{urlencode(self._query)}"

    @property
    def proposal_href(self) -> str:
        """The form with the step that is proposed."""
        best = self.proposal
        query = self._query | ({"restart_from": str(best.index)} if best else {})
        return f"{reverse('new-operation')}?{urlencode(query)}"

    @property
    def _query(self) -> dict[str, str]:
        return form_query(Kind.RESTART, self.instance)

    @cached_property
    def found(self) -> restart.Preflight | None:
        """None while the steps of the instance are not known."""
        detail = self.instance.last_detail
        return restart.preflight(detail, self._start) if detail else None

    @cached_property
    def _startable(self) -> dict[str, Step]:
        detail = self.instance.last_detail
        return {str(step.index): step for step in restart.restartable(detail)} if detail else {}

    @property
    def _start(self) -> Step | None:
        return self._startable.get(self.chosen)

    @property
    def is_unknown(self) -> bool:
        """A step was asked for that no restart can name."""
        return bool(self.chosen) and self._start is None

    @property
    def start_name(self) -> str:
        return words.name_of(self._start) if self._start else ""

    @cached_property
    def _marks(self) -> dict[str, Mark]:
        return Mark.objects.of(self.instance.workflow).by_step()

    @cached_property
    def kept(self) -> Column:
        return Column(self.found.kept if self.found else (), self._marks)

    @cached_property
    def again(self) -> Column:
        return Column(self.found.again if self.found else (), self._marks)

    @cached_property
    def proposal(self) -> Step | None:
        """Where to restart to repeat the least."""
        detail = self.instance.last_detail
        return restart.least_repeating(detail) if detail else None

    @property
    def proposal_words(self) -> str:
        """`Restart from send-invoice, keeps 7 steps`; "" where there is nothing to propose, or it
        is chosen already."""
        detail, best = self.instance.last_detail, self.proposal
        if detail is None or best is None or str(best.index) == self.chosen:
            return ""
        number = len(restart.preflight(detail, best).kept)
        proposed = ngettext(
            "Restart from %(step)s, keeps %(number)s step",
            "Restart from %(step)s, keeps %(number)s steps",
            number,
        )
        return proposed % {"step": words.name_of(best), "number": f"{number:,}"}

    @cached_property
    def deployed(self) -> Version | None:
        """The newest version that Cloudflare has listed."""
        newest = F("created_on").desc(nulls_last=True)
        return self.instance.workflow.versions.order_by(newest, "-pk").first()

    @property
    def is_other_version(self) -> bool:
        ran, deployed = self.instance.version_id, self.deployed
        return bool(ran and deployed and deployed.version_id != ran)
