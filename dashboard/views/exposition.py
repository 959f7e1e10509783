"""What Prometheus is told: read from the database and Redis when it asks, so that every process
tells the same and none has to be asked by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dashboard import celery, connection
from dashboard.broker import Broker, Kind
from dashboard.cloudflare import Lane
from dashboard.cloudflare.types import FINISHED
from dashboard.insight.sync_page import ProcessRow
from dashboard.logs import DATABASE_AWAY
from dashboard.models import Account, Item, Tally, Workflow, attention
from dashboard.models.attention import MOST
from dashboard.models.operation import State
from dashboard.views.workflow_rows import rows_of

Series = Counter[tuple[str, ...]]
Ages = dict[tuple[str, ...], float]


class Everything(Collector):
    """All metrics as of one moment. Those of a part that does not answer are left out, and its
    `…_up` says so."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def collect(self) -> Iterator[Metric]:
        try:
            found = [*self._of_database()]
        except DATABASE_AWAY:
            found = []
        yield _one("workflows_database_up", "1 while the database answers.", bool(found))
        yield from found
        yield from self._of_budgets()
        yield from self._of_broker()

    def _of_database(self) -> Iterator[Metric]:
        yield self._sync_ages()
        yield from self._instances()
        states = Counter(
            {(state,): 0 for state in State.values}
            | {
                (state,): number
                for state, number in Item.objects.order_by()
                .values_list("state")
                .annotate(number=Count("pk"))
            }
        )
        yield _gauge(
            "workflows_operation_items",
            "Instances that somebody asked to act on, by how far that has come.",
            ["state"],
            states,
        )

    def _sync_ages(self) -> Metric:
        ages = Ages()
        for account in Account.objects.exclude(synced_at=None):
            age = (self.now - (account.synced_at or self.now)).total_seconds()
            ages[account.name,] = max(age, ages.get((account.name,), 0.0))
        return _gauge(
            "workflows_sync_age_seconds",
            "Since the account's sync last came through.",
            ["account"],
            ages,
        )

    def _instances(self) -> Iterator[Metric]:
        rows = rows_of(Workflow.objects.present().in_brief())
        names = {row.workflow.pk: (row.workflow.account.name, row.workflow.name) for row in rows}
        standing, ended = Series(), Series()
        for row in rows:
            for status, number in row.numbers.items():
                standing[(*names[row.workflow.pk], status)] += number
        tallies = Tally.objects.filter(workflow__in=names, status__in=FINISHED)
        for pk, status, number in tallies.values_list("workflow", "status", "ended"):
            ended[(*names[pk], status)] += number
        yield _gauge(
            "workflows_instances",
            "Instances by status, as Cloudflare counts them; else those that are kept here.",
            ["account", "workflow", "status"],
            standing,
        )
        stuck = attention.stuck().counts
        yield _gauge(
            "workflows_instances_stuck",
            f"Instances that are later than is normal for where they stand, of at most {MOST:,}.",
            ["account", "workflow"],
            Counter({name: stuck[pk] for pk, name in names.items()}),
        )
        yield _filled(
            CounterMetricFamily(
                "workflows_instances_ended",
                "Ends that were seen since the workflow is watched, by outcome.",
                labels=["account", "workflow", "outcome"],
            ),
            ended,
        )

    def _of_budgets(self) -> Iterator[Metric]:
        quota, left, spent = Series(), Series(), Series()
        for names, budget in connection.budgets():
            if ledger := budget.ledger():
                quota[names,] = ledger.reading.quota
                left[names,] = max(0, ledger.reading.quota - ledger.reading.used)
                spent.update({(names, lane.value): 0 for lane in Lane})
                for (lane, _), number in ledger.window.items():
                    spent[names, lane] += number
        text = "Requests that Cloudflare allows in its window."
        yield _gauge("workflows_budget_quota", text, ["accounts"], quota)
        text = "Requests that are left in the window, by the higher of our count and Cloudflare's."
        yield _gauge("workflows_budget_remaining", text, ["accounts"], left)
        text = "Requests of this dashboard in the window."
        yield _gauge("workflows_budget_spent", text, ["accounts", "lane"], spent)

    def _of_broker(self) -> Iterator[Metric]:
        with closing(Broker(settings.BUDGET_REDIS_URL)) as broker:
            carried = broker.read(celery.queue_names(), self.now)
        yield _one("workflows_redis_up", "1 while Redis answers.", carried is not None)
        if carried is None:
            return
        waiting, ages = Series(), Ages()
        for queue in carried.queues:
            waiting[queue.name,] = queue.waiting
            age = self.now - queue.sent_at if queue.sent_at else timedelta()
            ages[queue.name,] = age.total_seconds()
        alive: Series = Counter({(kind.value,): 0 for kind in Kind})
        for process in carried.processes:
            alive[process.kind.value,] += not ProcessRow(process, self.now).is_silent
        yield _gauge("workflows_queue_tasks", "Tasks that wait.", ["queue"], waiting)
        text = "Since the oldest task that waits was sent; 0 when none waits."
        yield _gauge("workflows_queue_oldest_seconds", text, ["queue"], ages)
        text = "Processes that were heard of lately."
        yield _gauge("workflows_processes", text, ["kind"], alive)


def _one(name: str, text: str, is_so: bool) -> Metric:
    return GaugeMetricFamily(name, text, value=float(is_so))


def _gauge(name: str, text: str, labels: list[str], series: Series | Ages) -> Metric:
    return _filled(GaugeMetricFamily(name, text, labels=labels), series)


def _filled(
    family: GaugeMetricFamily | CounterMetricFamily,
    series: Series | Ages,
) -> Metric:
    for labels, number in series.items():
        family.add_metric(labels, float(number))
    return family
