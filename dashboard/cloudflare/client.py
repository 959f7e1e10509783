"""One method per API operation: envelope, cursor pages, path encoding, retries.

The signatures are settled; the bodies are being written on the branch `client`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard.cloudflare import types
from dashboard.cloudflare.targets import Target


@dataclass(frozen=True)
class Credentials:
    """An API token, or the older e-mail and global key. `repr()` shows neither."""

    token: str = ""
    email: str = ""
    key: str = ""


class StepOutput:
    """A step's whole output: decoded JSON, or a stream of bytes that is never held whole."""


class Client(AbstractContextManager["Client"]):
    """One account at one target. Not shared between threads' requests in flight? It is: httpx is."""

    target: Target
    account_id: str

    def __init__(
        self,
        account_id: str,
        credentials: Credentials,
        *,
        base_url: str,
        allow_undocumented: bool = False,
        params_as_text: bool = False,
        timeout: float = 10.0,
        tries: int = 3,
    ) -> None: ...

    def __exit__(self, *exc: object) -> None: ...
    def close(self) -> None: ...
    def verify_token(self) -> types.Json: ...
    def list_accounts(self) -> Iterator[types.Json]: ...
    def list_workflows(self, *, search: str = "") -> Iterator[types.Workflow]: ...
    def get_workflow(self, workflow_name: str) -> types.Workflow: ...
    def list_versions(self, workflow_name: str) -> Iterator[types.Version]: ...
    def get_version(self, workflow_name: str, version_id: str) -> types.Version: ...
    def get_graph(self, workflow_name: str, version_id: str) -> types.Graph: ...
    def list_instances(
        self,
        workflow_name: str,
        *,
        status: types.Status | None = None,
        date_start: datetime | None = None,
        date_end: datetime | None = None,
    ) -> Iterator[types.InstancePage]: ...
    def get_instance(
        self, workflow_name: str, instance_id: str, *, simple: bool = False
    ) -> types.InstanceDetail: ...
    def get_step(
        self,
        workflow_name: str,
        instance_id: str,
        *,
        name: str,
        type: types.StepType,
        attempt: int | None = None,
    ) -> AbstractContextManager[StepOutput]: ...
    def create_instance(
        self, workflow_name: str, new: types.NewInstance
    ) -> types.CreatedInstance: ...
    def create_instances(
        self, workflow_name: str, new: Sequence[types.NewInstance]
    ) -> list[types.CreatedInstance]: ...
    def change_instance_status(
        self,
        workflow_name: str,
        instance_id: str,
        action: types.Action,
        *,
        rollback: bool = False,
        restart_from: types.RestartFrom | None = None,
    ) -> types.StatusChange: ...
    def send_instance_event(
        self, workflow_name: str, instance_id: str, event_type: str, payload: Any = None
    ) -> types.Json: ...
    def delete_instances(
        self, workflow_name: str, instance_ids: Sequence[str]
    ) -> types.Deletion: ...
    def terminate_instances(
        self, workflow_name: str, *, status: types.Status | None = None
    ) -> types.Json: ...
