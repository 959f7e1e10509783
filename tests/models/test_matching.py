"""Merged lists, candidates of the index and counts against a plain look at every row."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import QuerySet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard.forms import search
from dashboard.forms.instance_filters import ORDERS
from dashboard.models import Instance, SearchText, Snapshot, counting, matching
from dashboard.models.keyset import first_keys
from dashboard.models.matching import Matching
from dashboard.search.language import Query, Term, parse
from tests.rows import THEN, account, instance, minutes, workflow

STATUSES = ["errored", "running", "complete", "hibernating"]
VALUES = {
    "status": STATUSES,
    "workflow": ["orders", "acc2/bills", "none"],
    "account": ["acc1", "acc2"],
    "": ["i1", "odd", "ODD", "refused", "card", "i", "%"],
    "error": ["refused", "no", "TypeError"],
    "step": ["card", "charge-card", "ship"],
    "created": [">=2026-11-20T03:05", "<2026-11-20T03:10"],
    "trigger": ["api", "cron"],
    "is": ["finished", "unfinished", "read", "kept"],
}


@st.composite
def terms(draw: st.DrawFn) -> Term:
    key = draw(st.sampled_from(sorted(VALUES)))
    most = 3 if key else 1
    values = draw(st.lists(st.sampled_from(VALUES[key]), min_size=1, max_size=most))
    return Term(key, tuple(values), draw(st.booleans()))


@pytest.fixture
def rows(db: None) -> list[Instance]:
    places = [
        workflow("orders"),
        workflow("bills", of=account("acc2")),
        workflow("orders", of=account("acc2")),
    ]
    made = []
    for number in range(24):
        row = instance(
            f"{'odd' if number % 2 else 'even'}-i{number}",
            STATUSES[number % 4],
            of=places[number % 3],
            created_on=THEN + minutes(number // 2),
            trigger="cron" if number % 5 else "api",
            read_at=THEN if number % 3 == 0 else None,
        )
        if row.read_at:
            text = {"error": "TypeError: refused 100%", "steps": "charge-card\nship", "body": "odd"}
            SearchText.objects.create(instance=row, **text)
        if number % 4 == 0:
            keep(row, 1, 2)
        made.append(row)
    keep(Instance(workflow=places[0], instance_id="forgotten"), 1)
    return made


def keep(row: Instance, *generations: int) -> None:
    """Snapshots of these generations of the instance."""
    for generation in generations:
        Snapshot.objects.create(
            workflow=row.workflow,
            instance_id=row.instance_id,
            generation=generation,
            taken_at=THEN,
            read_at=THEN,
            step_count=0,
            size=0,
            body=b"",
        )


def by_hand(query: Query, rows: list[Instance]) -> list[Instance]:
    """The rows that fit, found without the database, newest first."""
    texts = {text.pk: text for text in SearchText.objects.all()}

    def holds(term: Term, row: Instance, value: str) -> bool:
        text = texts.get(row.pk, SearchText())
        place = row.workflow
        anything = (row.instance_id, text.error, text.steps, text.body)
        return {
            "status": row.status == value,
            "workflow": value in (place.name, f"{place.account.account_id}/{place.name}"),
            "account": value == place.account.account_id,
            "": any(
                value.lower() in told.lower() for told in anything[: 4 if len(value) > 2 else 1]
            ),
            "error": value.lower() in text.error.lower(),
            "step": value.lower() in text.steps.lower(),
            "created": row.created_on >= THEN + minutes(5)
            if value.startswith(">")
            else row.created_on < THEN + minutes(10),
            "trigger": row.trigger == value,
            "is": {
                "finished": row.is_finished,
                "unfinished": not row.is_finished,
                "read": row.read_at is not None,
                "kept": Snapshot.objects.of_instance(row.workflow, row.instance_id).exists(),
            }.get(value, False),
        }[term.key]

    def fits(row: Instance) -> bool:
        for key in ("status", "workflow", "account", "trigger"):
            wanted = [term for term in query.terms if term.key == key and not term.is_excluded]
            if wanted and not any(holds(t, row, value) for t in wanted for value in t.values):
                return False
        for term in query.terms:
            one = any(holds(term, row, value) for value in term.values)
            is_alternative = term.key in {"status", "workflow", "account", "trigger"}
            if (term.is_excluded and one) or not (term.is_excluded or is_alternative or one):
                return False
        return True

    found = [row for row in rows if fits(row)]
    return sorted(found, key=lambda row: (row.created_on, row.pk), reverse=True)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=st.lists(terms(), max_size=3),
    few=st.sampled_from([1, 5, 1000]),
    lists=st.sampled_from([1, 40]),
)
def test_any_search_finds_in_order_and_counts_what_a_look_at_every_row_finds(
    rows: list[Instance], asked: list[Term], few: int, lists: int
) -> None:
    query = Query(tuple(asked))
    told = search.read(query, THEN)
    assert not told.problems
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "FEW", few)
        patch.setattr(matching, "MOST_LISTS", lists)
        matched = Matching(Instance.objects.all(), told.filters)

        keys = first_keys(matched.lists, ORDERS["created"], limit=100)
        counted = matched.counts

    assert keys == [row.pk for row in by_hand(query, rows)]
    assert set(keys) == set(matched.rows.values_list("pk", flat=True))
    of_any_status = by_hand(query.without("status"), rows)
    numbers = {
        status: len([row for row in of_any_status if row.status == status]) for status in STATUSES
    }
    assert {status: n for status, n in counted.numbers.items() if n} == {
        status: n for status, n in numbers.items() if n
    }
    assert counted.is_exact()


def matching_of(text: str) -> Matching:
    return Matching(Instance.objects.all(), search.read(parse(text)[0], THEN).filters)


def test_counts_that_would_take_long_stop_and_say_so(
    rows: list[Instance], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "LIMIT", 3)
    counts = matching_of("created:>=2026-11-20T03:00").counts

    assert counts.numbers == dict.fromkeys(STATUSES, 3)
    assert not counts.is_exact()
    assert not counts.is_exact(["errored"])
    assert counts.total(["errored", "running"]) == 6
    assert matching_of("status:errored").counts.is_exact()


def test_of_a_status_with_many_rows_only_the_newest_are_looked_at(
    rows: list[Instance], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "LOOKED_AT", 2)
    counts = matching_of("trigger:cron").counts

    assert all(number <= 2 for number in counts.numbers.values())
    assert not counts.is_exact(["errored"])


def test_several_statuses_are_read_as_one_list_each(rows: list[Instance]) -> None:
    def plan(text: str) -> list[QuerySet[Instance]]:
        return list(matching_of(text).lists)

    assert len(plan("")) == 1
    assert len(plan("status:errored,running,complete")) == 3
    assert len(plan("-status:complete workflow:orders")) == 6
    assert len(plan("status:errored,running charge-card")) == 1


def test_a_place_in_the_list_is_asked_for_so_that_an_index_begins_there(
    rows: list[Instance],
) -> None:
    order = ORDERS["created"]
    later = Instance.objects.filter(order.cursor_of(rows[9]).later())

    assert later.filter(created_on__gt=rows[9].created_on + timedelta(hours=1)).count() == 0
    assert "created_on" in str(later.query).partition("WHERE")[2].partition("AND")[0]
    assert " OR " not in str(later.query).partition("WHERE")[2].partition("AND")[0]


def test_where_few_are_kept_they_are_found_without_a_look_at_the_others(
    rows: list[Instance], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert matching_of("is:kept").keys == {row.pk for row in rows[::4]}
    Snapshot.objects.all().delete()
    assert matching_of("is:kept").keys == set()

    for row in rows[:3]:
        keep(row, 1)
    monkeypatch.setattr(matching, "FEW", 2)
    assert matching_of("is:kept").keys is None
