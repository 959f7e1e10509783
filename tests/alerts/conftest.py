from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.alerts.receiver import Receiver, receiver


@pytest.fixture
def hook(settings: Settings) -> Iterator[Receiver]:
    """A receiver on loopback, to which alerts may be sent."""
    settings.ALERTS_ALLOW_PRIVATE = True
    with receiver() as told:
        yield told
