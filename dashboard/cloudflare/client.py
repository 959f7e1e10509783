"""One method per API operation, for Cloudflare and for a local `wrangler dev` alike.

Follows <https://developers.cloudflare.com/api/resources/workflows/>. Every method raises a
`CloudflareError` when there is no answer or a bad one, and `Invalid` or `Unsupported` with
`was_sent` False for what cannot be asked. `list_` yields over all pages, `get_` raises `NotFound`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from dashboard.cloudflare import (
    bodies,
    paging,
    parsing,
    paths,
    responses,
    step_output,
    types,
    values,
)
from dashboard.cloudflare.budget import Gate, Lane, Spender
from dashboard.cloudflare.credentials import Credentials
from dashboard.cloudflare.errors import Invalid, NotFound, Unauthorized, Unsupported
from dashboard.cloudflare.step_output import StepOutput
from dashboard.cloudflare.targets import target_of
from dashboard.cloudflare.transport import NO_BODY, Params, Transport


class Client(AbstractContextManager["Client"]):
    """One account at one target. Keep it for its connections; threads may share it.

    `base_url`: `CLOUDFLARE_URL`, or the address of a `wrangler dev`. `allow_undocumented`: use
    routes that wrangler uses and the reference does not list. `params_as_text`: send the params of
    new instances as JSON text, which the reference asks for and the live API does not. `timeout`:
    seconds for each read. `tries`: how often a GET is sent at most. `gate`: what each request
    passes before it is sent; None lets everything through.
    """

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
        gate: Gate | None = None,
    ) -> None:
        if not _is_http(base_url):
            message = "The base URL has to begin with https:// (or http://) and a host name."
            raise Invalid(message, was_sent=False)
        self.target, self.base_url = target_of(base_url)
        self.account_id = account_id
        self._allow_undocumented = allow_undocumented
        self._params_as_text = params_as_text
        self._credentials = credentials
        self._transport = Transport(
            self.base_url,
            self.target,
            account_id,
            credentials,
            timeout=timeout,
            tries=tries,
            gate=gate,
        )

    def __repr__(self) -> str:
        return f"<Client {self.target.title} {self.account_id}>"

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the client cannot be used after it."""
        self._transport.close()

    def in_lane(self, lane: Lane, spender: Spender | None = None) -> Client:
        """This client, with the same connections, asking in another lane of the budget.

        Cheap. `spender` stays as it is unless given; closing either closes both.
        """
        other = copy.copy(self)
        other._transport = self._transport.in_lane(lane, spender or self._transport.spender)
        return other

    @property
    def lane(self) -> Lane:
        """The lane that its requests are made in; a person's unless told otherwise."""
        return self._transport.lane

    @property
    def rate_limit(self) -> types.RateLimit | None:
        """What the last answer said of the limit; None until one does."""
        return self._transport.tally.rate_limit

    @property
    def request_count(self) -> int:
        """How many requests were sent so far, by everybody who shares this client."""
        return self._transport.tally.requests

    # The account

    def verify_token(self) -> types.Json:
        """`{id, status: active | disabled | expired, expires_on?, not_before?}` of the API token.

        A token that belongs to the account, not to a user, has a route of its own: tried second.
        """
        self._require(self.target.has_token_check, "no token to verify")
        if not self._credentials.token:
            self._require(
                self._credentials.is_empty, "no check for an e-mail and key, only for tokens"
            )
        try:
            return self._get_object(paths.join("user", "tokens", "verify"))
        except (Unauthorized, NotFound, Invalid) as error:
            if not (self.account_id and error.was_sent):
                raise
            return self._get_object(paths.join("accounts", self.account_id, "tokens", "verify"))

    def list_accounts(self) -> Iterator[types.Json]:
        """`{id, name, type, …}` of the accounts the token may see; a narrow one sees none."""
        self._require(self.target.has_account_list, "no accounts")
        for account in self._pages(paths.join("accounts"), {}, key="id"):
            yield values.mapping(account)

    # Workflows and their versions

    def list_workflows(self, *, search: str = "") -> Iterator[types.Workflow]:
        """The account's workflows; `search` is a part of the name, 1 to 64 characters."""
        params = {"search": search} if search else {}
        for row in self._pages(self._path(), params, key="name"):
            yield parsing.workflow(row)

    def get_workflow(self, workflow_name: str) -> types.Workflow:
        """One workflow, with the number of its instances by status."""
        return parsing.workflow(self._get_object(self._path(workflow_name)))

    def put_workflow(
        self, workflow_name: str, *, class_name: str, script_name: str, **settings: Any
    ) -> types.Json:
        """Create or change a workflow. `settings`, as the API spells them: `concurrency`,
        `default_retention`, `limits`, `schedules`.
        """
        self._require(self.target.has_workflow_definition, "no route to define a workflow")
        body = {"class_name": class_name, "script_name": script_name, **settings}
        return self._send_object("PUT", self._path(workflow_name), body)

    def delete_workflow(self, workflow_name: str) -> types.Json:
        """Delete a workflow with all its instances, not its Worker."""
        result = self._transport.send("DELETE", self._path(workflow_name), may_be_empty=True)
        return values.mapping(result.value)

    def list_versions(self, workflow_name: str) -> Iterator[types.Version]:
        """The versions of a workflow, newest first."""
        self._require(self.target.has_versions, "no versions")
        for row in self._pages(self._path(workflow_name, "versions"), {}, key="id"):
            yield parsing.version(row)

    def get_version(self, workflow_name: str, version_id: str) -> types.Version:
        """One version of a workflow."""
        self._require(self.target.has_versions, "no versions")
        return parsing.version(self._get_object(self._path(workflow_name, "versions", version_id)))

    def get_graph(self, workflow_name: str, version_id: str) -> types.Graph:
        """The diagram of a version whose `has_dag` is True."""
        self._require(self.target.has_versions, "no versions")
        path = self._path(workflow_name, "versions", version_id, "graph")
        return parsing.graph(self._get_object(path), version_id)

    # Reading instances

    def list_instances(
        self,
        workflow_name: str,
        *,
        status: types.Status | None = None,
        date_start: datetime | None = None,
        date_end: datetime | None = None,
        cursor: str | None = None,
    ) -> Iterator[types.InstancePage]:
        """Pages of 100, newest first; none when there is no instance.

        A page's `cursor` begins a later walk after that page. Raises `CursorExpired` when
        Cloudflare has forgotten it. Rows may come twice or be missed while instances are created.
        """
        if status is types.Status.ROLLING_BACK:
            self._require(self.target.can_filter_rolling_back, "no filter for rolling back")
        given = {
            "status": status,
            "date_start": values.instant_as_text(date_start) if date_start else None,
            "date_end": values.instant_as_text(date_end) if date_end else None,
        }
        params = {name: str(value) for name, value in given.items() if value}
        path = self._path(workflow_name, "instances")

        def get(query: Params) -> responses.Result:
            return self._get_rows(path, query)

        walk = (
            paging.by_cursor(get, params, cursor=cursor)
            if self.target.pages_by == "cursor"
            else paging.by_page(get, params, key="id")
        )
        for result in walk:
            yield parsing.instance_page(result, drop_ghosts=self.target.makes_ghost_rows)

    def get_instance(
        self, workflow_name: str, instance_id: str, *, simple: bool = False
    ) -> types.InstanceDetail:
        """One instance with its steps, oldest first; `simple` leaves the steps out."""
        result = self._transport.get(
            self._path(workflow_name, "instances", instance_id),
            {"simple": "true"} if simple else {},
            keep=parsing.is_instance_detail,
        )
        return parsing.instance_detail(
            responses.as_object(result, self._transport.request("GET")),
            outputs_are_text=self.target.outputs_are_text,
            read_on=result.date,
            warning=result.warning,
        )

    @contextmanager
    def get_step(
        self,
        workflow_name: str,
        instance_id: str,
        *,
        name: str,
        type: types.StepType,
        attempt: int | None = None,
    ) -> Iterator[StepOutput]:
        """The whole output of a step or wait, for as long as the context is open.

        `name` is the log's, with its counter; `attempt` counts from 1. Where the target has no
        such route, the output is taken from the instance's log.
        """
        if type not in {types.StepType.STEP, types.StepType.WAIT_FOR_EVENT}:
            raise Invalid("Only steps and waits for an event have an output.", was_sent=False)
        if attempt is not None and attempt < 1:
            raise Invalid("Attempts are counted from 1.", was_sent=False)
        if not self.target.has_step_output:
            detail = self.get_instance(workflow_name, instance_id)
            yield step_output.from_detail(detail, name=name, type=type, attempt=attempt)
            return
        params: dict[str, str | int] = {"name": name, "type": type.value}
        path = self._path(workflow_name, "instances", instance_id, "step")
        found = self._transport.get_stream(path, params | ({"attempt": attempt} if attempt else {}))
        request = self._transport.request("GET")
        if isinstance(found, httpx.Response):
            with step_output.from_stream(found, request) as output:
                yield output
        else:
            responses.as_object(found, request)
            yield step_output.from_result(found)

    # Writing instances: each is sent once, whatever happens

    def create_instance(self, workflow_name: str, new: types.NewInstance) -> types.CreatedInstance:
        """Start an instance. Raises `Conflict` when its id is taken."""
        path = self._path(workflow_name, "instances")
        body = bodies.new_instance(new, self.target, as_text=self._params_as_text)
        return parsing.created_instance(self._send_object("POST", path, body))

    def create_instances(
        self, workflow_name: str, new: Sequence[types.NewInstance]
    ) -> list[types.CreatedInstance]:
        """Start 1 to 100 instances. Ids that exist are skipped silently: compare what you get."""
        self._require(self.target.has_batch, "no route to create several instances at once")
        path = self._path(workflow_name, "instances", "batch")
        body = bodies.new_instances(new, self.target, as_text=self._params_as_text)
        result = self._transport.send("POST", path, body)
        return parsing.created_instances(result.value)

    def change_instance_status(
        self,
        workflow_name: str,
        instance_id: str,
        action: types.Action,
        *,
        rollback: bool = False,
        restart_from: types.RestartFrom | None = None,
    ) -> types.StatusChange:
        """Pause, resume, terminate (`rollback`: undo first) or restart (`restart_from` a step).

        Raises `Conflict` where the state forbids it; the local engine then often answers with the
        unchanged status instead. The answer is a moment's: read the instance again.
        """
        body = bodies.status_change(action, rollback=rollback, restart_from=restart_from)
        path = self._path(workflow_name, "instances", instance_id, "status")
        return parsing.status_change(self._send_object("PATCH", path, body))

    def send_instance_event(
        self, workflow_name: str, instance_id: str, event_type: str, payload: Any = None
    ) -> types.Json:
        """Send an event with any JSON value as payload. An event nobody waits for is accepted too.

        Never send it again after `was_sent`: the instance may get it twice.
        """
        path = self._path(workflow_name, "instances", instance_id, "events", event_type)
        result = self._transport.send("POST", path, payload, may_be_empty=True)
        return values.mapping(result.value)

    def delete_instances(self, workflow_name: str, instance_ids: Sequence[str]) -> types.Deletion:
        """Delete 1 to 100 instances, each with its own outcome. Undocumented at Cloudflare."""
        self._require_route(documented=self.target.documents_batch_delete)
        path = self._path(workflow_name, "instances", "batch", "delete")
        return parsing.deletion(self._send_object("POST", path, bodies.deletion(instance_ids)))

    def terminate_instances(
        self, workflow_name: str, *, status: types.Status | None = None
    ) -> types.Json:
        """Begin to terminate all unfinished instances, or those of one status. Undocumented.

        The answer is `{status: "ok" | "already_running"}`; the work goes on after it.
        """
        self._require(self.target.has_bulk_terminate, "no route to terminate all instances")
        self._require_route(documented=False)
        path = self._path(workflow_name, "instances", "terminate")
        params = {"status": status.value} if status else {}
        result = self._transport.send("PUT", path, NO_BODY, params=params, may_be_empty=True)
        return values.mapping(result.value)

    # Shared

    def _path(self, *parts: str) -> str:
        prefix = ("accounts", self.account_id) if self.target.has_accounts else ()
        return paths.join(*prefix, "workflows", *parts)

    def _get_object(self, path: str) -> types.Json:
        return responses.as_object(self._transport.get(path), self._transport.request("GET"))

    def _get_rows(self, path: str, params: Params) -> responses.Result:
        result = self._transport.get(path, params)
        responses.as_rows(result, self._transport.request("GET"))
        return result

    def _send_object(self, method: str, path: str, body: Any) -> types.Json:
        result = self._transport.send(method, path, body)
        return responses.as_object(result, self._transport.request(method))

    def _pages(self, path: str, params: Params, *, key: str) -> Iterator[Any]:
        def get(query: Params) -> responses.Result:
            return self._get_rows(path, query)

        for result in paging.by_page(get, params, key=key):
            yield from values.items(result.value)

    def _require(self, has: bool, lack: str) -> None:
        if not has:
            raise Unsupported(f"{self.target.title} has {lack}.", was_sent=False)

    def _require_route(self, *, documented: bool) -> None:
        if not (documented or self._allow_undocumented):
            message = "This uses a route that Cloudflare does not document; it is not switched on."
            raise Unsupported(message, was_sent=False)


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
