"""Which instances a page means: chosen one by one, all that match a list, or those that failed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from django import forms
from django.db.models import Exists, OuterRef
from django.http import QueryDict
from django.utils.translation import gettext as _

from dashboard.forms.instance_filters import InstanceFilterForm
from dashboard.forms.old_addresses import translated
from dashboard.models import Access, Instance, Item, Operation
from dashboard.models.instance import InstanceQuerySet
from dashboard.models.operation import State

#: What a list's address holds besides which instances are in it.
LOOKS = {
    "sort", "after", "before", "until", "shown", "columns", "density", "view", "arranging",
}  # fmt: skip


@dataclass(frozen=True)
class Selection:
    """Some instances, and how they were chosen: `list_query` is a list's address, "" without one,
    and `retry_of` the operation in which they failed.
    """

    instances: InstanceQuerySet
    list_query: str = ""
    retry_of: Operation | None = None


def read_selection(given: QueryDict, access: Access, *, now: datetime) -> Selection:
    """What the parameters choose; raises ValidationError with a sentence.

    `retry_of`, or `matching` with `list`, or `chosen` once for each instance. With `newest`, only
    what was known here when that was the newest key. Never what may not be seen.
    """
    if text := given.get("retry_of", ""):
        found = _failed_in(text, access)
    elif given.get("matching"):
        query = given.get("list", "").removeprefix("?")
        found = Selection(matching(query, access, now=now), list_query=query)
    else:
        chosen = Instance.objects.filter(access.seen(), pk__in=_keys(given.getlist("chosen")))
        found = Selection(chosen)
    if newest := given.get("newest", ""):
        [limit] = _keys([newest])
        found = Selection(found.instances.filter(pk__lte=limit), found.list_query, found.retry_of)
    return found


def matching(query: str, access: Access, *, now: datetime) -> InstanceQuerySet:
    """Every instance of the list with this address; raises ValidationError.

    A filter that cannot be read would widen the list, so nothing is chosen then.
    """
    address = translated(QueryDict(query))
    form = InstanceFilterForm(address, now=now, access=access)
    texts = [
        _("“%(name)s” is no part of a list's address.") % {"name": name}
        for name in {*address} - LOOKS - {"q"}
    ]
    if texts or not form.is_valid():
        texts += [str(text) for texts in form.errors.values() for text in texts]
        raise forms.ValidationError([_("The list's address cannot be read in full."), *texts])
    return Instance.objects.matching(form.filters)


def in_words(query: str) -> list[tuple[str, str]]:
    """The filters in a list's address: their names and values; what is searched for has no name."""
    told = [(name, value) for name, value in parse_qsl(query) if name not in LOOKS]
    return [("" if name == "q" else name, value) for name, value in told]


def _failed_in(text: str, access: Access) -> Selection:
    try:
        operation = Operation.objects.seen_by(access).get(pk=uuid.UUID(text))
    except (ValueError, Operation.DoesNotExist):
        raise forms.ValidationError(_("There is no such operation to retry.")) from None
    failed = Item.objects.filter(operation=operation, state=State.FAILED)
    its = failed.filter(workflow=OuterRef("workflow"), instance_id=OuterRef("instance_id"))
    found = Instance.objects.filter(
        Exists(its),
        workflow__in=failed.order_by().values("workflow").distinct(),
        instance_id__in=failed.order_by().values("instance_id"),
    )
    return Selection(found, operation.list_query, operation)


def _keys(texts: list[str]) -> list[int]:
    if not all(text.isascii() and text.isdigit() and len(text) <= 18 for text in texts):
        raise forms.ValidationError(_("The instances that were chosen cannot be read."))
    return [int(text) for text in texts]
