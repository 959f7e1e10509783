"""Alerts: rules over what is stored, incidents, and messages about them.

`kinds/` says what can be alerted of, purely, over a `History`; `judging.py` opens and resolves
incidents, `telling.py` makes deliveries of what happens to them, `delivering.py` sends each at most
once, through `channels.py`. Knows nothing of Cloudflare, sync or operations.
"""

from dashboard.alerts.acknowledging import acknowledge
from dashboard.alerts.backtest import Backtest, backtest
from dashboard.alerts.channels import BadAddress, Fate, service_of
from dashboard.alerts.delivering import deliver, due, test
from dashboard.alerts.judging import judge
from dashboard.alerts.kinds import KINDS, Kind, kind_of
from dashboard.alerts.links import since_path
from dashboard.alerts.readings import forget_readings, note_readings
from dashboard.alerts.telling import silence_of

__all__ = [
    "KINDS",
    "Backtest",
    "BadAddress",
    "Fate",
    "Kind",
    "acknowledge",
    "backtest",
    "deliver",
    "due",
    "forget_readings",
    "judge",
    "kind_of",
    "note_readings",
    "service_of",
    "silence_of",
    "since_path",
    "test",
]
