from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.search.language import Query, Term, parse

#: Few different characters, those that mean something among them.
TRICKY = st.text(alphabet=st.sampled_from('ab:-," \\\n\u3000x>'), max_size=14)
TEXTS = TRICKY | st.text(max_size=8)
TERMS = st.one_of(
    st.builds(Term, st.just(""), st.tuples(TEXTS.filter(bool)), st.booleans()),
    st.builds(
        Term,
        st.sampled_from(["status", "id"]),
        st.lists(TEXTS.filter(bool), max_size=3).map(tuple),
        st.booleans(),
    ),
)


@given(text=TEXTS)
def test_every_text_is_a_query_and_is_read_the_same_when_written_again(text: str) -> None:
    query, _ = parse(text)

    assert parse(str(query)) == (query, [])


@given(terms=st.lists(TERMS, max_size=4))
def test_every_query_is_read_as_it_was_written(terms: list[Term]) -> None:
    query = Query(tuple(terms))

    assert parse(str(query)) == (query, [])


@given(
    terms=st.lists(TERMS.filter(lambda term: bool(term.values)), max_size=3),
    value=TEXTS.filter(bool),
    is_excluded=st.booleans(),
)
def test_what_is_toggled_twice_is_not_wanted_and_the_other_terms_stay(
    terms: list[Term], value: str, is_excluded: bool
) -> None:
    query = Query(tuple(terms))
    once = query.toggled("status", value, is_excluded=is_excluded)
    twice = once.toggled("status", value, is_excluded=is_excluded)

    was_there = value in query.values("status", is_excluded=is_excluded)
    assert (value in once.values("status", is_excluded=is_excluded)) is not was_there
    assert (value in twice.values("status", is_excluded=is_excluded)) is was_there
    assert once.without("status") == twice.without("status") == query.without("status")
    assert not {*once.values("status")} & {value} or value not in once.values(
        "status", is_excluded=True
    )


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        ("  ", []),
        ("status:errored", [Term("status", ("errored",))]),
        ("STATUS:a,b", [Term("status", ("a", "b"))]),
        ("-trigger:cron", [Term("trigger", ("cron",), is_excluded=True)]),
        ('"connection refused"', [Term("", ("connection refused",))]),
        ('error:"a b","c,d"', [Term("error", ("a b", "c,d"))]),
        (r'"say \"no\" \\ yes"', [Term("", (r'say "no" \ yes',))]),
        ("-", [Term("", ("-",))]),
        ("--x", [Term("", ("-x",), is_excluded=True)]),
        ("a,b", [Term("", ("a,b",))]),
        ('"status:errored"', [Term("", ("status:errored",))]),
        ("id:a:b", [Term("id", ("a:b",))]),
        ("id:,a,,b,", [Term("id", ("a", "b"))]),
        ("started:>2h", [Term("started", (">2h",))]),
        ("status:", [Term("status", ())]),
    ],
)
def test_what_is_written_means(text: str, terms: list[Term]) -> None:
    assert parse(text) == (Query(tuple(terms)), [])


def test_a_term_knows_where_it_stands() -> None:
    query, _ = parse('ab  -id:"x y" c')

    assert [(term.start, term.end) for term in query.terms] == [(0, 2), (4, 13), (14, 15)]


def test_a_quotation_mark_that_is_not_closed_is_said_with_its_place() -> None:
    query, [problem] = parse('a "never ends')

    assert query == Query((Term("", ("a",)), Term("", ("never ends",))))
    assert problem.sentence == "The quotation mark before “never ends” is not closed."
    assert (problem.start, problem.end) == (2, 13)
