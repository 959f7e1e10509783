"""Lists of instances as tables: the columns there are, and the cells of the rows that are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from html import escape

from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop

from dashboard.insight.overdue import is_stuck
from dashboard.models import InstanceDetail, Item
from dashboard.models.list_row import ListRow
from dashboard.models.normal import Normals
from dashboard.templatetags.dashboard import NOTHING
from dashboard.views import cells
from dashboard.views.cells import Known

#: Gives markup: whatever stands in the row is escaped in it.
Cell = Callable[[ListRow, Known], str]
SELECT = gettext_noop("Select %(instance)s")


@dataclass(frozen=True)
class Column:
    """`name`: in English. `css`: the class of its cells; its width is that of `c-` and the same."""

    key: str
    name: str
    css: str
    cell: Cell
    is_labelled: bool = True

    def written(self, row: ListRow, known: Known) -> str:
        """The cell of this row."""
        text = self.cell(row, known)
        css = self.css if text and text != NOTHING else f"{self.css} none"
        if self.key == "instance":
            return f'<th class="{css}" scope="row">{text}</th>'
        label = known.said[self.name] if self.is_labelled else ""
        return f'<td class="{css}" data-label="{label}">{text}</td>'

    @property
    def title(self) -> str:
        """In the reader's language."""
        return gettext(self.name)


_ALL = (
    Column("status", gettext_noop("Status"), "status", cells.status, is_labelled=False),
    Column("instance", gettext_noop("Instance"), "instance", cells.instance, is_labelled=False),
    Column("workflow", gettext_noop("Workflow"), "workflow", cells.workflow),
    Column("doing", gettext_noop("Phase and step"), "doing", cells.doing, is_labelled=False),
    Column("error", gettext_noop("Error and remarks"), "error", cells.error, is_labelled=False),
    Column("created", gettext_noop("Created"), "time", cells.created),
    Column("started", gettext_noop("Started"), "time", cells.started),
    Column("ended", gettext_noop("Ended"), "time", cells.ended),
    Column("duration", gettext_noop("Duration"), "time", cells.took),
    Column("attempts", gettext_noop("Attempts"), "short", cells.attempts),
    Column("kept", gettext_noop("Kept until"), "time", cells.kept),
    Column("trigger", gettext_noop("Trigger"), "short", cells.trigger),
    Column("version", gettext_noop("Version"), "short", cells.version),
)
COLUMNS = {column.key: column for column in _ALL}
DEFAULT = ("status", "instance", "workflow", "doing", "error", "created", "duration", "kept")
OF_ONE_WORKFLOW = (*(key for key in DEFAULT if key != "workflow"), "trigger", "version")


@dataclass(frozen=True)
class Table:
    """The chosen columns of some rows, and these rows as they are written."""

    columns: Sequence[Column]
    rows: SafeString

    @classmethod
    def of(
        cls, instances: Iterable[ListRow], keys: Iterable[str], now: datetime, *, form: str = ""
    ) -> Table:
        """Reads what the columns need beside the rows, for all rows at once. `form`: the id of a
        form that rows can be selected for."""
        columns = [column(key) for key in keys]
        instances = list(instances)
        known = _known(instances, columns, now)
        rows = "".join(_written(row, columns, known, form) for row in instances)
        return cls(columns, SafeString(rows))


def _written(row: ListRow, columns: Iterable[Column], known: Known, form: str) -> str:
    pick = ""
    if form:
        select = known.said[SELECT] % {"instance": escape(row.instance_id)}
        pick = (
            f'<td class="pick"><input type="checkbox" name="chosen" value="{row.pk}" form="{form}" '
            f'aria-label="{select}"></td>'
        )
    css = "" if row.is_match else ' class="no-match"'
    told = "".join([one.written(row, known) for one in columns])
    return f'<tr id="instance-{row.pk}"{css}>{pick}{told}</tr>'


def column(key: str) -> Column:
    """A column by its key; any other key is a path into the payload."""
    return COLUMNS.get(key) or Column(key, key, "payload", partial(cells.payload, path=key))


def _known(instances: Sequence[ListRow], columns: Iterable[Column], now: datetime) -> Known:
    known = Known(now)
    if not instances:
        return known
    keys = {column.key for column in columns}
    if "status" in keys:
        known.items = Item.objects.open_on(instances)
    if "error" in keys:
        known.normals = Normals.of_rows(row for row in instances if is_stuck(row))
    if keys - set(COLUMNS):
        held = InstanceDetail.objects.filter(pk__in=[row.pk for row in instances])
        known.details = {detail.pk: detail.parse() for detail in held}
    return known
