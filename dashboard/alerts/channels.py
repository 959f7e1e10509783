"""Channels: the address that a person writes, and a message sent to it, through Apprise.

Apprise (BSD-2-Clause, <https://github.com/caronc/apprise>) knows some 130 services by their
addresses. It is imported where it is needed: that takes a third of a second.
"""

from __future__ import annotations

import logging
import re
import sys
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import unquote

from django.utils.translation import gettext as _

from dashboard.alerts.message import Message
from dashboard.alerts.network import passage, watched
from dashboard.models.storing import storable, word

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 10.0
LONGEST_WORDS = 300
#: Answers after which a later try may do better: the other side has not taken the message.
COME_BACK = {408, 425, 429, 500, 503}
#: Who answers so may have passed it on before: whether it arrived is not known.
HALFWAY = {502, 504, 520, 521, 522, 523, 524}
_ANSWER = re.compile(r"error=(\d{3})\b")


class BadAddress(ValueError):
    """Nothing can be sent to this; `str()` says why in a sentence, without the address."""


class Fate(Enum):
    """What became of a message. Only what was REFUSED is tried again."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Outcome:
    fate: Fate
    words: str


def service_of(address: str) -> str:
    """The kind of address in words, such as Slack. Raises BadAddress."""
    return word(str(_opened(address).service_name))[:80]


def send(address: str, message: Message, *, allow_private: bool) -> Outcome:
    """Sends the message once, and says what became of it. Takes some seconds; never raises."""
    try:
        service = _opened(address)
    except BadAddress as error:
        return Outcome(Fate.REJECTED, str(error))
    _address_to(service, message)
    with watched(allow_private=allow_private) as sending:
        try:
            is_sent = bool(
                service.notify(title=message.title, body=message.text, notify_type=message.mood)
            )
        except Exception as error:  # noqa: BLE001  (130 services, written by as many people)
            sending.heard.append(type(error).__name__)
            is_sent = False
    if is_sent:
        return Outcome(Fate.ACCEPTED, _("%(service)s took it.") % {"service": service.service_name})
    if sending.forbidden:
        words = _(
            "Nothing was sent: %(host)s is not an address of the internet. "
            "ALERTS_ALLOW_PRIVATE allows those of a private network."
        )
        return Outcome(Fate.REJECTED, words % {"host": sending.forbidden})
    said = _without_secrets(" ".join(sending.heard), address)
    return _failed(str(service.service_name), said, is_handed_over=sending.is_handed_over)


def _failed(name: str, said: str, *, is_handed_over: bool) -> Outcome:
    found = _ANSWER.search(said)
    status = int(found[1]) if found else None
    if not is_handed_over:
        fate, words = Fate.REFUSED, _("%(service)s could not be reached; nothing was sent.")
    elif status is None:
        fate = Fate.UNKNOWN
        words = _(
            "%(service)s did not answer, or broke off; whether it has the message is not known."
        )
    elif status in HALFWAY:
        fate = Fate.UNKNOWN
        words = _("%(service)s answered %(status)s; whether it has the message is not known.")
    else:
        fate = Fate.REFUSED if status in COME_BACK or status > 504 else Fate.REJECTED
        words = _("%(service)s answered %(status)s, and did not take it.")
    words %= {"service": name, "status": status}
    if said:
        told = {"outcome": words, "words": said[:LONGEST_WORDS]}
        words = _("%(outcome)s It said: %(words)s") % told
    return Outcome(fate, words)


def _opened(address: str) -> Any:
    """Apprise's object for the address; raises BadAddress."""
    import apprise

    _listen()
    scheme, mark, _rest = address.partition("://")
    if not mark:
        raise BadAddress(
            _("Write an address with its kind in front, such as slack://… or https://…")
        )
    asset = apprise.AppriseAsset(
        app_id="Workflows dashboard", app_desc="Workflows dashboard", plugin_paths=[]
    )
    try:
        service = apprise.Apprise.instantiate(address, asset=asset)
        if service is None and scheme in {"http", "https"}:
            plain = "jsons" if scheme == "https" else "json"
            service = apprise.Apprise.instantiate(f"{plain}{address[len(scheme) :]}", asset=asset)
    except Exception:  # noqa: BLE001  (as above; and its words could hold the address)
        service = None
    if service is None:
        raise BadAddress(
            _(
                "This address cannot be read. See what belongs into one that begins with "
                "%(scheme)s:// in the list of services."
            )
            % {"scheme": word(scheme)[:20]}
        )
    module = sys.modules[type(service).__module__]
    if not hasattr(module, "requests") and not scheme.startswith("mailto"):
        raise BadAddress(
            _(
                "%(scheme)s:// is neither HTTP nor e-mail, so that nobody could tell whether a "
                "message arrived."
            )
            % {"scheme": word(scheme)[:20]}
        )
    if len(service) != 1:
        raise BadAddress(
            _(
                "This address reaches several receivers at once, of which some could get a message "
                "twice. Make a channel for each."
            )
        )
    return service


def _address_to(service: Any, message: Message) -> None:
    """What Apprise would do by itself is limited, and what a service knows of incidents is told."""
    from apprise import OverflowMode

    service.socket_connect_timeout = CONNECT_SECONDS
    service.socket_read_timeout = ANSWER_SECONDS
    service.redirects = False
    service.overflow_mode = OverflowMode.TRUNCATE
    if service.schema.startswith("json"):
        service.headers["Idempotency-Key"] = message.id
        service.payload_extras |= {"id": message.id, "key": message.key, **message.facts}
    elif service.schema.startswith("pagerduty"):
        service.dedup, service.action = message.key, "map"


def _without_secrets(said: str, address: str) -> str:
    """What the library and the service said, without any part of the address that may be secret."""
    hidden = set(re.split(r"[/?&=@:]+", address.partition("://")[2]))
    hidden |= {unquote(part) for part in hidden}
    for part in sorted((part for part in hidden if len(part) > 3), key=len, reverse=True):
        said = said.replace(part, "***")
    return storable(" ".join(said.split()))


class _Ear(logging.Handler):
    """Takes down what Apprise says while this thread sends; nothing of it reaches a log of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        sending = passage.get()
        if sending is None:
            return
        if record.levelno >= logging.WARNING:
            sending.heard.append(record.getMessage())
        elif str(record.msg).startswith("Response Details") and record.args:
            [answer, *_] = record.args if isinstance(record.args, tuple) else ("",)
            text = answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)
            sending.heard.append(text[:LONGEST_WORDS])


_ear = _Ear()


def _listen() -> None:
    logger = logging.getLogger("apprise")
    if _ear not in logger.handlers:
        logger.handlers = [_ear]
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
