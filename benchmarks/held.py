"""Fills the database that the environment names with as many instances as it is asked for.

python -m benchmarks.held ROWS [VIEWERS]   fills an empty one; prints the key of each one's session
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import accumulate, count, islice
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks import api  # noqa: E402
from dashboard.models import Account, Instance, User, Workflow, tallies  # noqa: E402
from dashboard.signing_in.sessions import BEGAN, USED  # noqa: E402

WORKFLOWS = int(os.environ.get("HELD_WORKFLOWS", "100"))
#: As many as of the rarest status, all among the oldest: the worst place for a list to look.
PAUSED = 40
AT_ONCE = 10_000
#: Over so long, whatever the number; and so many errors have RARE in them.
SPAN = timedelta(days=30)
#: One after the other in that time, as deployments come.
VERSIONS = [f"{place:08x}-0000-4000-8000-000000000000" for place in range(20)]
HITS, RARE = 60, "stolen-card"
TEXT = "the connection to the payment provider was refused after 30 seconds, order {} of {}"
COLUMNS = (
    "workflow_id", "instance_id", "status", "version_id", "trigger", "created_on", "modified_on",
    "started_on", "ended_on", "duration_ms", "error_name", "error_message", "generation",
    "is_listed", "seen_at", "status_seen_at", "read_at",
)  # fmt: skip
#: Whatever else a new row has, with its default.
REST = {
    field.attname: field.get_default()
    for field in Instance._meta.fields
    if field.has_default() and field.attname not in COLUMNS
}


def fill(number: int) -> None:
    """Up to this many rows, the workflows unequal as they are in life, each errored one read."""
    call_command("migrate", verbosity=0)
    account, _ = Account.objects.get_or_create(account_id="a", defaults={"name": "bench"})
    for name in (f"workflow-{place:03d}" for place in range(WORKFLOWS)):
        now = {"first_seen_at": timezone.now()}
        Workflow.objects.get_or_create(account=account, name=name, defaults=now)
    keys = list(Workflow.objects.order_by("pk").values_list("pk", flat=True))
    rows = islice(_rows(keys, number), Instance.objects.count(), number)
    while some := list(islice(rows, AT_ONCE)):
        _insert(some)
    _insert_texts()
    for key in keys:
        tallies.recount(key)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("ANALYZE")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            cursor.execute("VACUUM ANALYZE")


def _rows(workflows: list[int], number: int) -> Iterator[tuple[Any, ...]]:
    chance = random.Random(3)
    weights = list(accumulate(1 / (place + 1) for place, _ in enumerate(workflows)))
    now, errors = timezone.now(), count()
    for place, row in zip(range(number), api.rows(seed=3), strict=False):
        # Oldest first, as they come in life: the newest page is where new rows are.
        created = now - SPAN + SPAN * (place / number)
        status = "paused" if place < PAUSED else row["status"]
        is_ended, is_errored = status in api.ENDED, status == "errored"
        length = timedelta(seconds=chance.expovariate(1 / 60))
        ended = created + length if is_ended else None
        error = ("", "")
        if is_errored:
            what = RARE if next(errors) < HITS else row["version_id"]
            error = ("ProviderError", TEXT.format(place, what))
        yield (
            chance.choices(workflows, cum_weights=weights)[0],
            *(row["id"], status, _version(place / number), row["trigger_source"]),
            *(created, ended or created, created, ended),
            length // timedelta(milliseconds=1) if is_ended else None,
            *(*error, 1, True, now, now, now if is_errored else None),
            *REST.values(),
        )


def _version(place: float) -> str:
    """The one of that part of the time, 0 to 1."""
    return VERSIONS[int(place * len(VERSIONS))]


def _insert(rows: list[tuple[Any, ...]]) -> None:
    columns = [*COLUMNS, *REST]
    table = f"dashboard_instance ({', '.join(columns)})"
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            moments = [tuple(map(connection.ops.adapt_unknown_value, row)) for row in rows]
            cursor.executemany(
                f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(columns))})", moments
            )
        else:
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)


def _insert_texts() -> None:
    """What is searchable of every errored instance: about four kilobytes each."""
    items = ", ".join(f'{{"sku": "part-{place}"}}' for place in range(150))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO dashboard_searchtext (instance_id, error, steps, body) "
            "SELECT id, error_name || ': ' || error_message, 'validate\ncharge-card\nship-' || id, "
            "'{\"customer\": \"c-' || id || '\", \"items\": [' || %s || ']}' "
            "FROM dashboard_instance WHERE status = 'errored' "
            "AND id NOT IN (SELECT instance_id FROM dashboard_searchtext)",
            [items],
        )


def session(name: str) -> str:
    """The key of a session in which a viewer of this name is signed in; a superuser, for peers."""
    user, _ = User.objects.get_or_create(
        username=name, defaults={"role": "viewer", "is_staff": True, "is_superuser": True}
    )
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store[BEGAN] = store[USED] = time.time()
    store.save()
    return str(store.session_key)


if __name__ == "__main__":
    number, viewers = (*map(int, sys.argv[1:]), 1)[:2]
    fill(number)
    print("\n".join(session(f"bench-{place}") for place in range(viewers)))
