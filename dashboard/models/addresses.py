"""Where workflows and instances have their pages."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote

from django.urls import reverse
from django.utils.http import RFC3986_SUBDELIMS

#: What stands in a path as it is, as Django writes it.
IN_PATH = RFC3986_SUBDELIMS + "/~:@"


@lru_cache(maxsize=64)
def page_address(name: str) -> str:
    """Of a page whose address names nothing, by its name in urls.py. Kept once it was made."""
    return reverse(name)


@lru_cache(maxsize=4096)
def workflow_address(account_id: str, name: str) -> str:
    """Kept once it was made: `reverse` takes its time, and a list has hundreds."""
    return reverse("workflow", args=[account_id, name])


def group_address(pk: int) -> str:
    """The page of a group of failures."""
    return f"{page_address('groups')}{pk}/"


def instance_address(account_id: str, workflow_name: str, instance_id: str) -> str:
    """The permalink: the link that people share."""
    return (
        f"{workflow_address(account_id, workflow_name)}instances/{quote(instance_id, safe=IN_PATH)}"
    )
