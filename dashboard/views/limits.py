"""So many costly pages for each person in a minute, counted over all processes.

While Redis does not answer nothing is counted, and nobody is kept waiting.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache, wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpResponseBase
from django.shortcuts import render

from dashboard.broker import Broker
from dashboard.views.guards import signed_in
from dashboard.views.page import HtmxHttpRequest

P = ParamSpec("P")
View = Callable[Concatenate[HtmxHttpRequest, P], HttpResponseBase]
SECONDS = 60
#: A file of everything reads whole tables; a page that compares or sums up reads a few queries.
FILES, PAGES = 12, 120


def at_most(number: int, what: str) -> Callable[[View[P]], View[P]]:
    """Lets each person see the view so often in a minute; then a 429 that says when again.

    Views of the same `what` are counted together.
    """

    def limited(view: View[P]) -> View[P]:
        @wraps(view)
        def counted(
            request: HtmxHttpRequest, /, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponseBase:
            times = _broker(settings.BUDGET_REDIS_URL).count(
                f"{what}:{signed_in(request).pk}", SECONDS
            )
            if times is None or times <= number:
                return view(request, *args, **kwargs)
            seconds = SECONDS - int(time.time()) % SECONDS
            page = render(
                request, "errors/429.html", {"number": number, "seconds": seconds}, status=429
            )
            page["Retry-After"] = str(seconds)
            return page

        return counted

    return limited


@cache
def _broker(url: str) -> Broker:
    return Broker(url)
