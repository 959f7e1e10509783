"""The Celery application: one broker, Redis, everywhere; the database decides what is due.

`python -m celery -A dashboard worker`, `python -m celery -A dashboard beat`.
"""

from __future__ import annotations

import logging
import os
from typing import Any

from celery import Celery, Task, signals
from kombu import Queue
from kombu.transport.redis import Channel, QoS
from kombu.transport.virtual import QoS as VirtualQoS

from dashboard import logs, pulse, reporting

logger = logging.getLogger(__name__)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")


class Forgiving(QoS):
    """Acknowledges to Redis while it is there; what Redis is not told, it sends again later, and
    the database then says that it is no longer due.

    Kombu's own fails on a channel that was closed under a task, which ends the whole worker; and
    putting back what is not done fails when Redis is what closed it.
    """

    restore_at_shutdown = False

    def ack(self, delivery_tag: str) -> None:
        transport = self.channel.connection
        if transport is None or transport.client is None:
            return  # Of a channel that was closed, nothing is left.
        try:
            super().ack(delivery_tag)
        except transport.connection_errors as error:
            logger.info("Redis was not told that a task has ended: %s", error)
            VirtualQoS.ack(self, delivery_tag)  # The worker has room for another one all the same.


Channel.QoS = Forgiving

app = Celery("dashboard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    timezone="UTC",
    imports=["dashboard.tasks"],
    # A worker takes from both, or with `--queues` from one: `manage.py up` has workers for each, so
    # that history never holds up what is new.
    task_queues=[Queue("fresh"), Queue("backfill")],
    task_default_queue="fresh",
    task_routes={
        "dashboard.tasks.back_fill_account": {"queue": "backfill"},
        "dashboard.tasks.read_steps": {"queue": "backfill"},
        "dashboard.tasks.keep_evidence": {"queue": "backfill"},
        "dashboard.tasks.tend_history": {"queue": "backfill"},
        "dashboard.tasks.learn_normals": {"queue": "backfill"},
    },
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # Redis may be away for a night; workers wait for it.
    broker_transport_options={"visibility_timeout": 300},
    # A tick that could not be carried in time is worthless: the next one asks the database again.
    beat_schedule={
        "sync": {
            "task": "dashboard.tasks.sync_due_accounts",
            "schedule": 1.0,
            "options": {"expires": 10},
        },
        "feed": {
            "task": "dashboard.tasks.read_due_feeds",
            "schedule": 1.0,
            "options": {"expires": 10},
        },
        "follow": {
            "task": "dashboard.tasks.follow_operations",
            "schedule": 1.0,
            "options": {"expires": 10},
        },
        "operations": {
            "task": "dashboard.tasks.run_operations",
            "schedule": 1.0,
            "options": {"expires": 10},
        },
        "prune": {
            "task": "dashboard.tasks.prune",
            "schedule": 600.0,
            "options": {"expires": 300},
        },
        "history": {
            "task": "dashboard.tasks.tend_history",
            "schedule": 300.0,
            "options": {"expires": 200},
        },
        "evidence": {
            "task": "dashboard.tasks.keep_due_evidence",
            "schedule": 300.0,
            "options": {"expires": 60},
        },
        "normals": {
            "task": "dashboard.tasks.learn_normals",
            "schedule": 30.0,
            "options": {"expires": 25},
        },
        "steps": {
            "task": "dashboard.tasks.read_due_steps",
            "schedule": 10.0,
            "options": {"expires": 10},
        },
        "judge-alerts": {
            "task": "dashboard.tasks.judge_alerts",
            "schedule": 5.0,
            "options": {"expires": 10},
        },
        "deliver-alerts": {
            "task": "dashboard.tasks.deliver_alerts",
            "schedule": 1.0,
            "options": {"expires": 10},
        },
        "readings": {
            "task": "dashboard.tasks.note_readings",
            "schedule": 60.0,
            "options": {"expires": 30},
        },
    },
)
pulse.install(app)
# Celery brings its own handlers, into which what tasks log goes too.
signals.after_setup_logger.connect(logs.watch_over)
signals.after_setup_task_logger.connect(logs.watch_over)


@signals.worker_init.connect
@signals.beat_init.connect
def begin_reporting(signal: object, **_: object) -> None:
    reporting.start("worker" if signal is signals.worker_init else "beat")


@signals.before_task_publish.connect
def name_the_request(headers: dict[str, Any], **_: object) -> None:
    """A task that was sent for somebody bears the id of their request."""
    if request_id := logs.request_id():
        headers["request_id"] = request_id


@signals.task_prerun.connect
def begin_work(task_id: str, task: Task[..., Any], **_: object) -> None:
    """What the task logs bears its name and id, and the id of the request that sent it."""
    sent_for = {"request_id": id_} if (id_ := task.request.get("request_id")) else {}
    logs.begin(task=task.name, task_id=task_id, **sent_for)


@signals.task_postrun.connect
def end_work(**_: object) -> None:
    logs.begin()


@app.on_after_finalize.connect
def load_all(sender: Celery, **others: object) -> None:
    """Loads what Celery would load late: a beat that is told to stop amid that ends in an error.

    Its handler asks for the scheduler, which imports this module, which is half imported just then.
    """
    _ = sender.amqp


def queue_names() -> list[str]:
    """The queues that some worker must take from."""
    return [queue.name for queue in app.conf.task_queues]
