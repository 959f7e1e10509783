"""Sessions in the database, read by a statement written by hand, as the user is in `backend.py`.

Most requests are polls that have nothing to tell, and the ORM took two thirds of the time that such
a one takes.
"""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends import db
from django.utils import timezone

from dashboard.models import by_hand

SESSION = "SELECT session_data, expire_date FROM django_session WHERE session_key IN {}"


class SessionStore(db.SessionStore):
    """A session in the database."""

    def load(self) -> dict[str, Any]:
        """What it holds; nothing, and no key, where there is none or it has ended."""
        for data, expires_at in by_hand.rows(SESSION, [str(self.session_key)]):
            ends_at = by_hand.moment(expires_at)
            if ends_at and ends_at > timezone.now():
                return dict(self.decode(data))
        self._session_key = None
        return {}
