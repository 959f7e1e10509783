"""Rows of links on every page or list, written by hand: a template takes ten times as long.

Whatever comes from outside is escaped here.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import NamedTuple

from django import template
from django.template import defaulttags
from django.template.base import Parser, Token
from django.utils.safestring import SafeString

from dashboard.models.addresses import page_address

register = template.Library()


class PageLink(NamedTuple):
    """One entry of the navigation. `is_here`: this very page, not one below it."""

    title: str
    href: str
    is_current: bool
    is_here: bool


class ViewLink(NamedTuple):
    """One view of the instance list to go to."""

    name: str
    href: str
    says: str
    is_current: bool


@register.tag
def url(parser: Parser, token: Token) -> template.Node:
    """Django's own, but that an address which names nothing is looked up once, not for each page:
    a page of the list has ten, which were a tenth of what its templates take."""
    node = defaulttags.url(parser, token)
    if node.args or node.kwargs or node.asvar or not isinstance(node.view_name.var, str):
        return node
    return PageURLNode(str(node.view_name.var))


class PageURLNode(template.Node):
    """The address of a page."""

    def __init__(self, page: str) -> None:
        self.page = page

    def render(self, context: template.Context) -> SafeString:
        return SafeString(escape(page_address(self.page)))


@register.simple_tag
def page_links(pages: Iterable[PageLink]) -> SafeString:
    return SafeString("\n".join(map(_page, pages)))


def _page(page: PageLink) -> str:
    current = ""
    if page.is_current:
        current = ' aria-current="page"' if page.is_here else ' aria-current="true"'
    return f'<a href="{escape(page.href)}"{current}>{page.title}</a>'


@register.simple_tag
def view_links(views: Iterable[ViewLink], css: str = "") -> SafeString:
    """`css`: the class of each."""
    told = f' class="{css}"' if css else ""
    return SafeString("".join([_view(view, told) for view in views]))


def _view(view: ViewLink, css: str) -> str:
    current = ' aria-current="true"' if view.is_current else ""
    return (
        f'<a{css} href="{escape(view.href)}" title="{escape(view.says)}"{current}>'
        f"{escape(view.name)}</a>"
    )
