"""Lists of instances as tables: the columns there are, and the cells of the rows that are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from html import escape

from django.utils.safestring import SafeString

from dashboard.insight.overdue import is_stuck
from dashboard.models import InstanceDetail, Item
from dashboard.models.list_row import ListRow
from dashboard.models.normal import Normals
from dashboard.templatetags.dashboard import NOTHING
from dashboard.views import cells
from dashboard.views.cells import Known

#: Gives markup: whatever stands in the row is escaped in it.
Cell = Callable[[ListRow, Known], str]


@dataclass(frozen=True)
class Column:
    """`css`: the class of its cells; its width is that of `c-` and the same."""

    key: str
    title: str
    css: str
    cell: Cell
    is_labelled: bool = True

    def written(self, row: ListRow, known: Known) -> str:
        """The cell of this row."""
        text = self.cell(row, known)
        css = self.css if text and text != NOTHING else f"{self.css} none"
        if self.key == "instance":
            return f'<th class="{css}" scope="row">{text}</th>'
        return f'<td class="{css}" data-label="{self._label}">{text}</td>'

    @cached_property
    def _label(self) -> str:
        return escape(self.title) if self.is_labelled else ""


_ALL = (
    Column("status", "Status", "status", cells.status, is_labelled=False),
    Column("instance", "Instance", "instance", cells.instance, is_labelled=False),
    Column("workflow", "Workflow", "workflow", cells.workflow),
    Column("doing", "Phase and step", "doing", cells.doing, is_labelled=False),
    Column("error", "Error and remarks", "error", cells.error, is_labelled=False),
    Column("created", "Created", "time", cells.created),
    Column("started", "Started", "time", cells.started),
    Column("ended", "Ended", "time", cells.ended),
    Column("duration", "Duration", "time", cells.took),
    Column("attempts", "Attempts", "short", cells.attempts),
    Column("kept", "Kept until", "time", cells.kept),
    Column("trigger", "Trigger", "short", cells.trigger),
    Column("version", "Version", "short", cells.version),
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
        pick = (
            f'<td class="pick"><input type="checkbox" name="chosen" value="{row.pk}" form="{form}" '
            f'aria-label="Select {escape(row.instance_id)}"></td>'
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
