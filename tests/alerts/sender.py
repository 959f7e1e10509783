"""Sends one delivery as a worker does, in a process that a test can kill:
`python -m tests.alerts.sender NAME HOST PORT USER DELIVERY MOMENT`, of the test's own database."""

from __future__ import annotations

import sys
from datetime import datetime

import django


def main(name: str, host: str, port: str, user: str, delivery: str, moment: str) -> None:
    django.setup()

    from django.conf import settings
    from django.db import connection

    from dashboard import alerts

    settings.ALERTS_ALLOW_PRIVATE = True
    connection.settings_dict |= {"NAME": name, "HOST": host, "PORT": port, "USER": user}
    alerts.deliver(int(delivery), clock=lambda: datetime.fromisoformat(moment))


if __name__ == "__main__":
    main(*sys.argv[1:])
