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
from dashboard.models.bulk_sql import AT_ONCE, FINISHED_WORDS, NEXT, NOT_PLAIN, TOLD
from dashboard.models.instance import Instance
from dashboard.models.storing import CONTROLS, fits

LONGEST_ID = Instance._meta.get_field("instance_id").max_length or 0


#: A row of the table at a glance: its key; when it was seen, as `text_of`, "" of a finished row and
#: NOT_PLAIN of one that is no plain row; and what it says, just as a list sends that.
Held = tuple[str, str, tuple[str | None, ...]]


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
    unlike: list[str] = []
    for instance_id in ids:
        if instance_id not in held:
            found.fresh.append(told[instance_id])
            continue
        pk, seen_at, said = held[instance_id]
        try:
            # As it was sent: all that most rows of most pages are looked at for.
            is_same = said == TOLD(told[instance_id].raw) and seen_at != NOT_PLAIN
        except KeyError:
            is_same = False
        if not is_same:
            unlike.append(instance_id)
        elif seen_at:
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
        cursor.execute(statement, [workflow_id, _parameter(instance_ids)])
        columns = cursor.fetchone()
    if columns[0] is None:
        return {}
    ids, pks, seen_at, *words = (text.split(NEXT) for text in columns[:6])
    said = zip(*words, *map(_as_sent, columns[6:]), strict=True)
    return dict(zip(ids, zip(pks, seen_at, said, strict=True), strict=True))


def _as_sent(moments: str) -> list[str | None]:
    """Moments as Cloudflare writes them, with milliseconds; such as have more are left as such."""
    sent = f"{moments}{NEXT}".replace(" ", "T").replace(f"000{NEXT}", f"Z{NEXT}").split(NEXT)
    return [moment or None for moment in sent[:-1]]


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
