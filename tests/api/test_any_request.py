"""Whatever the API's own document allows, and what it forbids, is answered as that document says.

`API_SEED` repeats a run, `API_EXAMPLES` asks more of each endpoint.
"""

from __future__ import annotations

import os
import secrets
import uuid
from collections import Counter
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from pytest_django.live_server_helper import LiveServer
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
)

from dashboard import operations
from dashboard.models import (
    AlertIncident,
    AlertRule,
    ErrorGroup,
    Instance,
    User,
    Workflow,
    api_token,
)
from dashboard.models.operation import Kind
from tests.api.conftest import make_token
from tests.fixtures import Watched

SEED = int(os.environ.get("API_SEED") or secrets.randbits(32))
EXAMPLES = int(os.environ.get("API_EXAMPLES") or 6)
#: A text that fits its field may still be no search, no step and no place in a list: 422 says so.
#: That nothing is told without a token is tested of each endpoint by itself.
NOT_HELD = [positive_data_acceptance, ignored_auth]

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
    operator: User,
) -> None:
    print(f"API_SEED={SEED}")
    real = there(on_call, operator)
    answers: Counter[int] = Counter()
    # Aimed, what was wrong may have been replaced by what is right.
    excluded = [*NOT_HELD, negative_data_rejection] if is_aimed else NOT_HELD

    def ask(case: Case) -> None:
        if is_aimed:
            aim(case, real)
        answer = case.call_and_validate(headers=bearer, excluded_checks=excluded)
        answers[answer.status_code] += 1

    for found in document.get_all_operations():
        strategy = found.ok().as_strategy(generation_mode=mode)
        hypothesis.seed(SEED)(FUZZED(hypothesis.given(strategy)(ask)))()
    print(f"{answers.total()} requests: {dict(answers)}")
    assert not {401, 429, 500} & {*answers}
    assert mode is GenerationMode.NEGATIVE or answers[200] > EXAMPLES


def there(watched: Watched, user: User) -> dict[str, dict[str, Any]]:
    """What there is, by how a path begins: names, and the key of something of each kind."""
    now, [workflow, *_] = watched.clock(), Workflow.objects.all()
    of_instance = {
        "account_id": watched.account.account_id,
        "workflow_name": workflow.name,
        "instance_id": next(iter(watched.copied())),
    }
    key = uuid.uuid4()
    wanted = operations.Wanted(kind=Kind.PAUSE, user=user, key=key)
    begun, _ = operations.begin(Instance.objects.all(), wanted, operations.Terms(), now=now)
    group = ErrorGroup.objects.create(
        workflow=workflow, fingerprint="f", first_seen_on=now, last_seen_on=now
    )
    rule = AlertRule.objects.create(name="Stuck", kind="stuck", changed_by=user, changed_at=now)
    incident = AlertIncident.objects.create(
        rule=rule, key="k", subject="orders", sentence="It hangs.", opened_at=now, fired_at=now
    )
    return {
        "/api/v1/": of_instance,
        "/api/v1/operations/{pk}": {"pk": str(begun.pk)},
        "/api/v1/groups/{pk}": {"pk": group.pk},
        "/api/v1/alerts/{pk}": {"pk": incident.pk},
    }


def aim(case: Case, real: dict[str, dict[str, Any]]) -> None:
    """The same request, of something that there is."""
    for begins, told in real.items():
        for part in (case.path_parameters, case.query, case.body):
            if case.operation.path.startswith(begins) and isinstance(part, dict):
                part.update({name: told[name] for name in told if name in part})
