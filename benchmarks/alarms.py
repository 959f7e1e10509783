"""python -m benchmarks.alarms: how often the default rules cry wolf over an account that is well.

The scenario `busy` at its own pace and by a simulated clock, in a database of its own: each hour
what began, changed and failed is recorded as the sync records it, without requests; step events are
read and normals learned with that, and rules judged at every five minutes of it. Of unfinished
instances each eighth is read. Printed are the alerts, the versions called bad, the steps in which
something was called stuck, and the groups called growing, of which there should be none. One
simulated day; `--full` is a week.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta

HOUR, JUDGED = timedelta(hours=1), timedelta(minutes=5)
START = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
#: Of a workflow that was stopped on purpose nothing is triggered, rightly.
STOPPED = {"newsletter"}
HEAD = """\
| hours | instances | failed | groups | alerts | stuck | bad versions | growing | seconds |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |"""


def run(hours: int, seed: int, each: int) -> None:
    """Watches the account for so many simulated hours, and prints a line every six."""
    from dashboard.models import AlertIncident, ErrorGroup, Instance, WorkflowPeriod
    from dashboard.simulator.scenarios import SCENARIOS
    from tests.alerts.calm import Totals
    from tests.alerts.direct import direct

    began, totals, told = time.monotonic(), Totals(), 0
    names = {one.name for one in SCENARIOS["busy"].definitions} - STOPPED
    print(HEAD, flush=True)
    watch = direct("busy", START, each=each, seed=seed)
    watch.look()
    watch.make_rules(names)
    watch.judge()
    for hour in range(1, hours + 1):
        since = watch.clock()
        watch.world.advance(HOUR.total_seconds())
        watch.look()
        for number in range(1, HOUR // JUDGED + 1):
            watch.judge(since + number * JUDGED)
        totals.note(watch)
        if hour % 6 and hour != hours:
            continue
        ends = WorkflowPeriod.objects.values_list("errored", flat=True)
        cells = [
            f"{hour:,}",
            f"{Instance.objects.count():,}",
            f"{sum(ends):,}",
            str(ErrorGroup.objects.count()),
            str(AlertIncident.objects.count()),
            str(len(totals.stuck)),
            str(len(totals.worse)),
            str(len(totals.growing)),
            f"{time.monotonic() - began:,.0f}",
        ]
        print(f"| {' | '.join(cells)} |", flush=True)
        for incident in watch.opened()[told:]:
            print(f"  {incident.opened_at:%d %H:%M} {incident}: {incident.sentence}")
        told = AlertIncident.objects.count()
    for words in sorted(map(str, totals.stuck | totals.worse | totals.growing)):
        print(f"  {words}")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.alarms",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--full", action="store_true", help="a week; takes many minutes")
    parser.add_argument("--hours", type=int, help="another number of simulated hours")
    parser.add_argument("--seed", type=int, default=1, help="another account")
    parser.add_argument("--each", type=int, default=8, help="of unfinished instances is read")
    options = parser.parse_args(arguments)

    import os

    import django

    with tempfile.TemporaryDirectory() as folder:
        os.environ["DATA_DIR"] = folder
        os.environ.pop("DATABASE_URL", None)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
        django.setup()
        from django.core.management import call_command

        logging.disable(logging.WARNING)
        call_command("migrate", verbosity=0)
        hours = options.hours or (168 if options.full else 24)
        run(hours, options.seed, options.each)


if __name__ == "__main__":
    main(sys.argv[1:])
