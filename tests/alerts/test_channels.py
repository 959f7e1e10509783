from __future__ import annotations

import io
import logging
import socket

import pytest

from dashboard.alerts import channels, network
from dashboard.alerts.channels import BadAddress, Fate, send, service_of
from dashboard.alerts.message import Message
from tests.alerts.receiver import Receiver

TEXT = Message(
    "A title", "What <b>happened</b>", "failure", "the-key", "the-id", {"event": "opened"}
)


class TestAddresses:
    @pytest.mark.parametrize(
        ("address", "service"),
        [
            (
                "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
                "Slack",
            ),
            ("pagerduty://integration-key@api-key", "Pager Duty"),
            ("mailtos://user:pw@smtp.example.com?to=a@example.com", "E-Mail"),
            ("https://example.com/hook", "JSON"),
        ],
    )
    def test_what_people_paste_is_known_by_its_service(self, address: str, service: str) -> None:
        assert service_of(address) == service

    @pytest.mark.parametrize(
        ("address", "says"),
        [
            ("s3cret", "with its kind in front"),
            ("slack://s3cret", "cannot be read"),
            ("nonsense://s3cret", "cannot be read"),
            ("https://[s3cret", "cannot be read"),
            ("rsyslog://s3cret", "neither HTTP nor e-mail"),
            ("mailto://u:s3cret@example.com?to=a@x.com,b@x.com", "several receivers"),
        ],
    )
    def test_what_cannot_be_used_is_refused_in_a_sentence_without_it(
        self, address: str, says: str
    ) -> None:
        with pytest.raises(BadAddress, match=says) as refused:
            service_of(address)
        assert "s3cret" not in str(refused.value)


class TestSending:
    def test_a_webhook_gets_a_documented_object_and_a_key(self, hook: Receiver) -> None:
        outcome = send(hook.address, TEXT, allow_private=True)

        assert outcome.fate is Fate.ACCEPTED
        [told] = hook.taken
        assert told["title"] == "A title"
        assert told["message"] == "What <b>happened</b>"
        assert (told["type"], told["event"], told["key"]) == ("failure", "opened", "the-key")
        assert hook.headers[0]["Idempotency-Key"] == told["id"] == "the-id"

    @pytest.mark.parametrize(
        ("answer", "fate"),
        [
            (500, Fate.REFUSED),
            (503, Fate.REFUSED),
            (429, Fate.REFUSED),
            (404, Fate.REJECTED),
            (502, Fate.UNKNOWN),
            ("reset", Fate.UNKNOWN),
        ],
    )
    def test_each_answer_is_taken_for_what_it_says(
        self, hook: Receiver, answer: int | str, fate: Fate
    ) -> None:
        hook.answers = [answer]
        outcome = send(hook.address, TEXT, allow_private=True)

        assert outcome.fate is fate, outcome
        assert len(hook.heard) == 1
        assert "s3cret" not in outcome.words

    def test_no_answer_in_time_is_not_known_to_have_arrived(
        self, hook: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(channels, "ANSWER_SECONDS", 0.05)
        hook.answers = ["silence"]

        outcome = send(hook.address, TEXT, allow_private=True)

        assert outcome.fate is Fate.UNKNOWN
        assert "is not known" in outcome.words

    def test_where_nobody_listens_nothing_was_sent(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as unused:
            port = unused.getsockname()[1]
        outcome = send(f"http://127.0.0.1:{port}/s3cret", TEXT, allow_private=True)

        assert outcome.fate is Fate.REFUSED
        assert "nothing was sent" in outcome.words

    def test_it_is_led_nowhere_else(self, hook: Receiver) -> None:
        hook.answers = [hook.address]
        outcome = send(hook.address, TEXT, allow_private=True)

        assert outcome.fate is Fate.REJECTED
        assert len(hook.heard) == 1

    def test_nothing_of_the_address_reaches_a_log_of_ours(
        self, hook: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written = io.StringIO()
        root = logging.getLogger()
        monkeypatch.setattr(root, "handlers", [logging.StreamHandler(written)])
        monkeypatch.setattr(root, "level", logging.DEBUG)
        hook.answers = [500]
        send(hook.address, TEXT, allow_private=True)
        root.debug("The log works.")

        assert "The log works." in written.getvalue()
        assert "s3cret" not in written.getvalue()

    def test_pagerduty_is_told_which_incident_it_is_and_when_it_resolves(self) -> None:
        service = channels._opened("pagerduty://integration-key@api-key")
        channels._address_to(service, TEXT)

        assert (service.dedup, service.action) == ("the-key", "map")


class TestForbiddenAddresses:
    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1"])
    def test_loopback_under_any_name_is_refused_before_it_is_connected_to(
        self, hook: Receiver, host: str
    ) -> None:
        outcome = send(f"json://{host}:{hook.port}/x", TEXT, allow_private=False)

        assert outcome.fate is not Fate.ACCEPTED
        assert hook.heard == []

    def test_it_says_why(self, hook: Receiver) -> None:
        outcome = send(hook.address, TEXT, allow_private=False)

        assert outcome.fate is Fate.REJECTED
        assert "127.0.0.1 is not an address of the internet" in outcome.words

    def test_mail_is_kept_from_it_too(self) -> None:
        outcome = send(
            "mailto://u:p@localhost:2525?to=a@x.com&mode=insecure", TEXT, allow_private=False
        )

        assert outcome.fate is Fate.REJECTED

    @pytest.mark.parametrize(
        "address",
        [
            "10.0.0.1", "172.16.3.4", "192.168.1.1", "127.8.9.1", "169.254.169.254", "100.64.0.1",
            "0.0.0.0", "224.0.0.1", "::1", "::", "fe80::1%eth0", "fc00::1", "::ffff:10.0.0.1",
            "64:ff9b::a00:1", "2002:a00:1::", "not an address",
        ],
    )  # fmt: skip
    def test_no_private_address_is_one_of_the_internet_in_any_disguise(self, address: str) -> None:
        assert not network.is_allowed(address, allow_private=False)

    @pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "64:ff9b::101:101"])
    def test_those_of_the_internet_are_allowed(self, address: str) -> None:
        assert network.is_allowed(address, allow_private=False)

    def test_where_clouds_keep_their_secrets_is_never_allowed(self) -> None:
        assert network.is_allowed("10.0.0.1", allow_private=True)
        assert network.is_allowed("::1", allow_private=True)
        assert not network.is_allowed("169.254.169.254", allow_private=True)
        assert not network.is_allowed("::ffff:169.254.169.254", allow_private=True)

    def test_what_this_process_does_elsewhere_is_left_alone(self, hook: Receiver) -> None:
        with network.watched(allow_private=False):
            pass
        with socket.create_connection(("127.0.0.1", hook.port)):
            pass


def test_mail_that_broke_off_before_its_text_was_not_sent() -> None:
    """And after it, nobody knows."""
    for command, is_sent in (
        (b"ehlo x\r\n", False),
        (b"rcpt TO:<a@x>\r\n", False),
        (b"DATA\r\n", True),
    ):
        sending = network.Passage(allow_private=True)
        network._sends_mail(sending, (None, command))
        assert sending.is_handed_over is is_sent
