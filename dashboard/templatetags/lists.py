"""Parts of the instance list with many links, written by hand: a template takes ten times as long.

Whatever comes from outside is escaped here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import NamedTuple, Protocol

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from dashboard.templatetags.dashboard import icon, status_badge, status_word

register = template.Library()

CURRENT = ' aria-current="true"'
#: So many of what is chosen are named in the heading of a menu.
NAMED = 2


class Chip(NamedTuple):
    """A status with its count. `href` narrows to it or takes it back, `not_href` leaves it out.

    `is_exact` is False when there may be more than `number`.
    """

    status: str
    number: int
    is_exact: bool
    href: str
    not_href: str
    is_chosen: bool
    is_excluded: bool


class Choice(NamedTuple):
    """One entry of a menu; a click takes it or takes it back."""

    title: str
    href: str
    is_chosen: bool
    note: str = ""


class Heading(NamedTuple):
    """What sorts by a column. `aria_sort`: how the list is sorted by it now, "" for not at all."""

    href: str
    aria_sort: str


class Headed(Protocol):
    """A column: its width is that of the class `c-` and `css`."""

    @property
    def key(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def css(self) -> str: ...


class ColumnChoice(NamedTuple):
    """One column in the chooser of columns."""

    key: str
    title: str
    is_chosen: bool = False
    can_move: bool = False


@register.simple_tag
def status_chips(chips: Iterable[Chip]) -> SafeString:
    """Each status with its count, as a link that takes it, and one that leaves it out."""
    return SafeString("".join(map(_chip, chips)))


def _chip(chip: Chip) -> str:
    status = escape(chip.status)
    count = f' data-count="{chip.number}"' if chip.is_exact else ""
    none = "" if chip.number else " data-none"
    about = "" if chip.is_exact else f' title="{_at_least()}"'
    told = (
        f'<span class="chip-pair" data-status="{status}"><a class="chip" data-chip="{status}"'
        f'{count} href="{escape(chip.href)}"{CURRENT if chip.is_chosen else ""}{none}>'
        f'<span class="number"{about}>{chip.number:,}'
        f"{'' if chip.is_exact else '+'}</span> {status_badge(chip.status)}</a>"
    )
    if chip.number or chip.is_excluded:
        without = escape(_("Without %(status)s") % {"status": status_word(chip.status)})
        told += (
            f'<a class="chip-not" href="{escape(chip.not_href)}" aria-label="{without}" '
            f'title="{without}"{CURRENT if chip.is_excluded else ""}>{icon("without")}</a>'
        )
    return f"{told}</span>\n"


def _at_least() -> str:
    return escape(_("At least so many: counting them all would take too long"))


@register.simple_tag
def menu(title: str, choices: Sequence[Choice]) -> SafeString:
    """Several of many, as links that take a value or take it back."""
    chosen = [escape(choice.title) for choice in choices if choice.is_chosen]
    named = ", ".join(chosen[:NAMED]) + (", …" if len(chosen) > NAMED else "")
    nothing, any_ = escape(_("Nothing to choose from yet")), escape(_("any"))
    entries = menu_links(choices) or f'<span class="faint">{nothing}</span>'
    return SafeString(
        f'<details class="choose"><summary><span class="soft">{escape(title)}</span> '
        f'{named or any_}</summary><div class="panel">{entries}</div></details>'
    )


@register.simple_tag
def menu_links(choices: Iterable[Choice]) -> SafeString:
    """The entries of a menu, each a link."""
    return SafeString("".join(map(_entry, choices)))


def _entry(choice: Choice) -> str:
    note = f' <span class="faint">{escape(choice.note)}</span>' if choice.note else ""
    current = CURRENT if choice.is_chosen else ""
    return f'<a href="{escape(choice.href)}"{current}>{escape(choice.title)}{note}</a>'


@register.simple_tag
def column_headings(columns: Iterable[Headed], headings: Mapping[str, Heading] | str) -> SafeString:
    """The head of each column; `headings`, by column, where one can be sorted by; "" for none."""
    known = headings if isinstance(headings, Mapping) else {}
    return SafeString("".join([_heading(column, known.get(column.key)) for column in columns]))


def _heading(column: Headed, heading: Heading | None) -> str:
    title = escape(column.title)
    if heading is None:
        return f'<th class="c-{column.css}" scope="col">{title}</th>'
    sort = arrow = ""
    if heading.aria_sort:
        sort = f' aria-sort="{heading.aria_sort}"'
        arrow = f" {icon('down' if heading.aria_sort == 'descending' else 'up')}"
    return (
        f'<th class="c-{column.css}" scope="col"{sort}><a href="{escape(heading.href)}">'
        f"{title}{arrow}</a></th>"
    )


@register.simple_tag
def column_choices(choices: Iterable[ColumnChoice]) -> SafeString:
    """A box for each column, and a button that moves a chosen one a place ahead."""
    return SafeString("".join(map(_column, choices)))


def _column(choice: ColumnChoice) -> str:
    key, title = escape(choice.key), escape(choice.title)
    told = (
        f'<div class="column"><label><input type="checkbox" name="columns" value="{key}"'
        f"{' checked' if choice.is_chosen else ''}>{title}</label>"
    )
    if choice.can_move:
        ahead = escape(_("One place ahead"))
        move = escape(_("Move %(column)s one place ahead") % {"column": choice.title})
        told += (
            '<button class="button" data-kind="quiet" type="submit" name="earlier" '
            f'value="{key}" aria-label="{move}" title="{ahead}">'
            f"{icon('up')}</button>"
        )
    return f"{told}</div>"
