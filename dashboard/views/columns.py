"""Lists of instances as tables: the columns there are, and the cells of the rows that are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from html import escape

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from dashboard.models import Instance, InstanceDetail, Item, Version
from dashboard.templatetags.dashboard import NOTHING
from dashboard.views import cells
from dashboard.views.cells import Known

Cell = Callable[[Instance, Known], SafeString | str]


@dataclass(frozen=True)
class Column:
    """`css`: the class of its cells; its width is that of `c-` and the same."""

    key: str
    title: str
    css: str
    cell: Cell
    is_labelled: bool = True

    def written(self, row: Instance, known: Known) -> str:
        """The cell of this row. By hand: a page has hundreds, and format_html takes its time."""
        told = self.cell(row, known)
        css = f"{self.css} none" if told in {"", NOTHING} else self.css
        text = conditional_escape(told)
        if self.key == "instance":
            return f'<th class="{css}" scope="row">{text}</th>'
        label = escape(self.title) if self.is_labelled else ""
        return f'<td class="{css}" data-label="{label}">{text}</td>'


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
class Row:
    """A row with its cells as they are written."""

    instance: Instance
    cells: SafeString


@dataclass(frozen=True)
class Table:
    """The chosen columns of some rows."""

    columns: Sequence[Column]
    rows: Sequence[Row]

    @classmethod
    def of(cls, instances: Iterable[Instance], keys: Iterable[str], now: datetime) -> Table:
        """Reads what the columns need beside the rows, for all rows at once."""
        columns = [column(key) for key in keys]
        instances = list(instances)
        known = _known(instances, columns, now)
        rows = []
        for row in instances:
            written = "".join(one.written(row, known) for one in columns)
            rows.append(Row(row, mark_safe(written)))  # noqa: S308  (each cell is escaped)
        return cls(columns, rows)


def column(key: str) -> Column:
    """A column by its key; any other key is a path into the payload."""
    return COLUMNS.get(key) or Column(key, key, "payload", partial(cells.payload, path=key))


def _known(instances: Sequence[Instance], columns: Iterable[Column], now: datetime) -> Known:
    known = Known(now)
    keys = {column.key for column in columns}
    if "kept" in keys and any(row.ended_on for row in instances):
        known.versions = {
            (version.workflow_id, version.version_id): version
            for version in Version.objects.filter(
                workflow__in={row.workflow_id for row in instances},
                version_id__in={row.version_id for row in instances},
            )
        }
    if "status" in keys:
        known.items = Item.objects.open_on(instances)
    if keys - set(COLUMNS):
        held = InstanceDetail.objects.filter(pk__in=[row.pk for row in instances])
        known.details = {detail.pk: detail.parse() for detail in held}
    return known
