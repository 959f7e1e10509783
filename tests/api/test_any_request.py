"""Whatever the API's own document allows, and what it forbids, is answered as that document says.

`API_SEED` repeats a run, `API_EXAMPLES` asks more of each endpoint.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from pytest_django.live_server_helper import LiveServer
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from dashboard.models import User, api_token
from tests.api.conftest import make_token
from tests.fixtures import Watched

SEED = int(os.environ.get("API_SEED") or secrets.randbits(32))
EXAMPLES = int(os.environ.get("API_EXAMPLES") or 12)
#: A text that fits its field may still be no search, no step and no place in a list: 422 says so.
NOT_HELD = [positive_data_acceptance]

FUZZED = hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def bearer(transactional_db: None, operator: User, on_call: Watched) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_token(operator)[1]}"}


@pytest.fixture
def document(
    transactional_db: None,
    live_server: LiveServer,
    on_call: Watched,
    bearer: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> schemathesis.BaseSchema:
    """The API of a real server, with a simulated account behind it that has some instances."""
    monkeypatch.setattr(api_token, "CALLS_PER_MINUTE", 10**9)
    for state in ("running", "errored", "waiting-for-event", "paused", "complete"):
        on_call.add(state)
    on_call.sync()
    url = f"{live_server.url}/api/v1/openapi.json"
    return schemathesis.openapi.from_url(url, headers=bearer)


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("is_aimed", [False, True], ids=["anywhere", "at an instance that is"])
def test_any_request_is_answered_as_the_document_says(
    document: schemathesis.BaseSchema,
    bearer: dict[str, str],
    on_call: Watched,
    mode: GenerationMode,
    is_aimed: bool,
) -> None:
    print(f"API_SEED={SEED}")
    real = {
        "account_id": on_call.account.account_id,
        "workflow_name": "orders",
        "instance_id": next(iter(on_call.copied())),
    }
    answers: Counter[int] = Counter()

    def ask(case: Case) -> None:
        if is_aimed:
            aim(case, real)
        answer = case.call_and_validate(headers=bearer, excluded_checks=NOT_HELD)
        answers[answer.status_code] += 1

    for found in document.get_all_operations():
        strategy = found.ok().as_strategy(generation_mode=mode)
        hypothesis.seed(SEED)(FUZZED(hypothesis.given(strategy)(ask)))()
    print(f"{answers.total()} requests: {dict(answers)}")
    assert not {401, 429, 500} & {*answers}
    assert mode is GenerationMode.NEGATIVE or answers[200] > EXAMPLES


def aim(case: Case, real: dict[str, Any]) -> None:
    """The same request, of an instance that there is."""
    for part in (case.path_parameters, case.query, case.body):
        if isinstance(part, dict):
            part.update({name: real[name] for name in real if name in part})
