"""Answers to polls: while nothing is written, all who look at the same list share one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from threading import Lock
from time import monotonic

from django.http import HttpResponse
from django.utils.translation import get_language

from dashboard.models.database_state import database_state
from dashboard.views.guards import access
from dashboard.views.page import HtmxHttpRequest

#: Seconds after which an answer is made anew although nothing was written: "the last hour" goes on.
GOES_ON = 30
MOST = 100
#: What holds somebody's own form is theirs alone.
OWN = b"csrfmiddlewaretoken"

#: What was asked for, what the reader may see and do, and their language.
Key = tuple[str, str, str]
View = Callable[[HtmxHttpRequest], HttpResponse]


@dataclass(frozen=True)
class Answer:
    """A fragment, and the state of the database that it was made from."""

    state: str
    content: bytes
    headers: dict[str, str]


class Answers:
    """The last ones, of this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[Key, Answer] = OrderedDict()
        self._making = [Lock() for _ in range(16)]

    def get(self, key: Key, state: str) -> Answer | None:
        with self._lock:
            answer = self._kept.get(key)
        return answer if answer is not None and answer.state == state else None

    def keep(self, key: Key, answer: Answer) -> None:
        with self._lock:
            self._kept[key] = answer
            self._kept.move_to_end(key)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)

    def making(self, key: Key) -> Lock:
        """Held while an answer is made: who asks for the same meanwhile waits, and shares it."""
        return self._making[hash(key) % len(self._making)]


_answers = Answers()


def shared(view: View) -> View:
    """For a page that shows the same to everybody who may see and do the same, and reads the same
    language."""

    @wraps(view)
    def answered(request: HtmxHttpRequest) -> HttpResponse:
        state = _state() if request.htmx and request.method == "GET" else ""
        if not state:
            return view(request)
        key = (request.get_full_path(), access(request).key, get_language())
        answer = _answers.get(key, state)
        if answer is None:
            with _answers.making(key):
                state = _state()
                answer = _answers.get(key, state)
                if answer is None:
                    return _made(view, request, key, state)
        return HttpResponse(answer.content, headers=answer.headers)

    return answered


def _made(view: View, request: HtmxHttpRequest, key: Key, state: str) -> HttpResponse:
    response = view(request)
    if response.status_code == 200 and OWN not in response.content:
        _answers.keep(key, Answer(state, response.content, dict(response.headers)))
    return response


def _state() -> str:
    """What an answer is made from: the database, and how late it is; "" when that is not known."""
    state = database_state()
    return f"{state} {monotonic() // GOES_ON}" if state else ""
