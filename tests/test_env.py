"""Each variable is read once, in its type, and whatever it cannot be is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from dashboard import env

NAME = "TEST_VARIABLE"


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(env, "VARIABLES", dict(env.VARIABLES))


def given(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    if value is None:
        monkeypatch.delenv(NAME, raising=False)
    else:
        monkeypatch.setenv(NAME, value)


@pytest.mark.parametrize(
    ("value", "read"), [(None, "d"), ("", "d"), ("  ", "d"), (" a b\n", "a b")]
)
def test_a_text_is_stripped_and_empty_is_unset(
    monkeypatch: pytest.MonkeyPatch, value: str | None, read: str
) -> None:
    given(monkeypatch, value)

    assert env.text(NAME, "d", help="for a test") == read


def test_what_was_read_is_listed_with_its_default_and_its_use() -> None:
    env.number(NAME, 5, help="for a test")

    assert env.VARIABLES[NAME] == env.Variable(NAME, "5", "for a test")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (None, False),
        ("", False),
        ("TRUE", True),
        ("1", True),
        ("on", True),
        ("No", False),
        ("0", False),
    ],
)
def test_a_flag_has_several_words(
    monkeypatch: pytest.MonkeyPatch, value: str | None, read: bool
) -> None:
    given(monkeypatch, value)

    assert env.flag(NAME, help="for a test") is read


@pytest.mark.parametrize("value", ["maybe", "2", "truely"])
def test_a_flag_that_is_neither_is_named_with_its_cure(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    given(monkeypatch, value)

    with pytest.raises(ImproperlyConfigured, match=rf"{NAME} is '{value}'; write true or false\."):
        env.flag(NAME, help="for a test")


def test_a_flag_that_is_on_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, "off")

    assert env.flag(NAME, True, help="for a test") is False


@pytest.mark.parametrize(("value", "read"), [(None, 7), ("", 7), ("3", 3), ("0012", 12)])
def test_a_number_is_whole(monkeypatch: pytest.MonkeyPatch, value: str | None, read: int) -> None:
    given(monkeypatch, value)

    assert env.number(NAME, 7, help="for a test", minimum=3) == read


@pytest.mark.parametrize("value", ["2", "-5", "4.5", "many", "²", "٣", "1e3", "0x10"])
def test_what_is_no_number_or_too_small_is_named_with_its_cure(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    given(monkeypatch, value)

    with pytest.raises(ImproperlyConfigured) as caught:
        env.number(NAME, 7, help="for a test", minimum=3)

    assert str(caught.value) == f"{NAME} is {value!r}; write a whole number from 3 on."


def test_a_secret_comes_from_the_variable_or_from_the_file_that_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text("from the file\n")
    assert env.secret(NAME, help="for a test") == ""

    monkeypatch.setenv(f"{NAME}_FILE", f" {file} ")
    assert env.secret(NAME, help="for a test") == "from the file"

    given(monkeypatch, "from the variable")
    assert env.secret(NAME, help="for a test") == "from the variable"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "which cannot be read: No such file or directory."),
        (b"", "which is empty."),
        (b" \n", "which is empty."),
        (b"\xff\xfe\x00", "which holds no text."),
    ],
)
def test_a_file_that_gives_no_secret_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, says: str
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv(f"{NAME}_FILE", str(file))

    with pytest.raises(ImproperlyConfigured) as caught:
        env.secret(NAME, help="for a test")

    assert str(caught.value) == f"{NAME}_FILE names {file}, {says}"


@pytest.mark.parametrize(
    "value",
    ["", "redis://host:6379/0", "redis://:pw@host/0", "unix:///run/redis.sock", "REDIS://host"],
)
def test_an_address_comes_back_as_it_was_written(value: str) -> None:
    assert env.checked_address(NAME, value, ["redis", "unix"]) == value


@pytest.mark.parametrize(
    "value", ["host", "http://host", "redis://", "redis://host:port", "redis://[::1", "s3cret@host"]
)
def test_what_is_no_address_is_named_and_never_repeated(value: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        env.checked_address(NAME, value, ["redis", "unix"])

    assert str(caught.value) == (
        f"{NAME} is not an address; write the whole of it, beginning with redis:// or unix://."
    )
