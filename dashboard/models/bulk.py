"""Rows of a list against rows of the table, a thousand at once and with one statement.

Without the ORM: an object of each row costs several times what the database does with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from dashboard.cloudflare import types
from dashboard.models import bulk_sql, merging
from dashboard.models.bulk_sql import AT_ONCE, FINISHED_WORDS, NEXT, TEXT, TOLD
from dashboard.models.instance import Instance
from dashboard.models.storing import CONTROLS, fits

#: No row of the table says this, nor does one that is not plain.
UNUSUAL = "-"
LONGEST_ID = Instance._meta.get_field("instance_id").max_length or 0
#: A row of the table at a glance: what it says, as `texts_told`, "" of one that is not plain; and
#: its key and when it was seen, as `text_of`, with a blank between, "" of a finished one.
Held = tuple[str, str]


class Known(NamedTuple):
    """A row of the table with its facts, in the order of `facts_told`."""

    facts: tuple[Any, ...]
    pk: int
    seen_at: str

    def says(self, told: types.Instance) -> bool:
        """True when the row says already what a list says: merging would change nothing."""
        facts = facts_told(told)
        return self.facts == facts or merging.is_said(self.facts, facts)

    @property
    def is_unfinished(self) -> bool:
        return self.facts[0] not in FINISHED_WORDS


@dataclass
class Compared:
    """What is new in rows of a list: those that the table does not hold; by their keys those that
    it holds differently, and when the unfinished ones that it holds as they are were last seen."""

    fresh: list[types.Instance] = field(default_factory=list)
    news: dict[int, types.Instance] = field(default_factory=dict)
    seen: dict[int, str] = field(default_factory=dict)


def compare(workflow_id: int, told: Mapping[str, types.Instance]) -> Compared:
    """Compares rows of a list, given by id, with the workflow's rows. Locks nothing. An id that no
    column holds is no instance's: its row is left out."""
    found = Compared()
    ids = nameable(told)
    held = glance(workflow_id, ids)
    if not held:
        found.fresh = [told[instance_id] for instance_id in ids]
        return found
    unlike: list[str] = []
    texts = texts_told([told[instance_id] for instance_id in ids])
    for instance_id, text in zip(ids, texts, strict=True):
        row = held.get(instance_id)
        if row is None:
            found.fresh.append(told[instance_id])
        elif row[0] != text:
            unlike.append(instance_id)
        elif row[1]:
            pk, _, seen_at = row[1].partition(" ")
            found.seen[int(pk)] = seen_at
    if unlike:
        _compare_each(found, known_rows(workflow_id, unlike), told)
    return found


def _compare_each(
    found: Compared, known: Mapping[str, Known], told: Mapping[str, types.Instance]
) -> None:
    """Compares fact by fact: an unlike text may say the same in another shape, or less."""
    for instance_id, row in known.items():
        if not row.says(told[instance_id]):
            found.news[row.pk] = told[instance_id]
        elif row.is_unfinished:
            found.seen[row.pk] = row.seen_at


def glance(workflow_id: int, instance_ids: Sequence[str]) -> dict[str, Held]:
    """The workflow's rows with these ids, by id."""
    is_sqlite = connection.vendor == "sqlite"
    statement = bulk_sql.GLANCE_SQLITE if is_sqlite else bulk_sql.GLANCE_POSTGRES
    with connection.cursor() as cursor:
        cursor.execute(statement, [_parameter(instance_ids), workflow_id])
        ids, *columns = cursor.fetchone()
    if ids is None:
        return {}
    said, seen = (column.split("\n") for column in columns)
    return dict(zip(ids.split("\n"), zip(said, seen, strict=True), strict=True))


def texts_told(rows: Sequence[types.Instance]) -> list[str]:
    """What each row says, as it was sent, in the words of the table: all that most rows of most
    pages are looked at for. Of one that is not sent as usual, a text that no row of it says."""
    together = "\n".join(map(_text, rows))
    for cloudflares, ours in bulk_sql.AS_HELD[connection.vendor]:
        together = together.replace(cloudflares, ours)
    texts = together.split("\n")
    return texts if len(texts) == len(rows) else [UNUSUAL] * len(rows)


def _text(row: types.Instance) -> str:
    try:
        text: str = TEXT % TOLD(row.raw)
    except KeyError:
        return UNUSUAL
    return text


def known_rows(workflow_id: int, instance_ids: Sequence[str]) -> dict[str, Known]:
    """The same rows with every fact."""
    is_sqlite = connection.vendor == "sqlite"
    statement = bulk_sql.SELECT_SQLITE if is_sqlite else bulk_sql.SELECT_POSTGRES
    with connection.cursor() as cursor:
        cursor.execute(statement, [workflow_id, _parameter(instance_ids)])
        return {
            instance_id: Known((*words, *map(_read, moments), is_plain), pk, seen_at)
            for instance_id, pk, seen_at, is_plain, *facts in cursor.fetchall()
            for words, moments in [(facts[:3], facts[3:])]
        }


def facts_told(told: types.Instance) -> tuple[Any, ...]:
    """What a list says, in the order of `merging.LISTED`; and that it is plain: a list shows it,
    Cloudflare still has it, and it has not left."""
    return (
        told.status,
        told.version_id,
        told.trigger,
        told.created_on,
        told.modified_on,
        told.started_on,
        told.ended_on,
        True,
    )


def mark_as_seen(pks: Sequence[int], now: datetime) -> None:
    """Moves `seen_at` on, except of rows that somebody else writes at this moment: who does so has
    seen them too, and waiting for each other in different orders would be a deadlock."""
    for start in range(0, len(pks), AT_ONCE):
        some = Instance.objects.select_for_update(skip_locked=True).filter(
            pk__in=pks[start : start + AT_ONCE]
        )
        Instance.objects.filter(pk__in=some.values("pk")).update(seen_at=now)


def nameable(instance_ids: Iterable[str]) -> list[str]:
    """Those ids that the column holds as they are; usually all, which is found out at once."""
    ids = [*instance_ids]
    if not CONTROLS.search("".join(ids)) and max(map(len, ids), default=0) <= LONGEST_ID:
        return ids
    return [one for one in ids if fits(Instance, "instance_id", one)]


def _parameter(instance_ids: Sequence[str]) -> str:
    if connection.vendor == "sqlite":
        return json.dumps(instance_ids)
    return NEXT.join(["", *instance_ids])  # PostgreSQL makes no element of an empty text alone.


def _read(moment: str | None) -> datetime | None:
    return datetime.fromisoformat(moment) if moment else None
