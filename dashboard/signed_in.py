"""Who asks: found out for each request, by statements written by hand.

Most requests are polls that have nothing to tell, and the ORM took two thirds of the time that such
a one takes.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends import db
from django.utils import timezone

from dashboard.models import User, by_hand

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


class Backend(ModelBackend):
    """Users by name and password, as Django's own."""

    def get_user(self, user_id: int) -> User | None:
        """The user with this key, as long as they may sign in."""
        for user in by_hand.whole(User, "id IN {}", [user_id]):
            return user if self.user_can_authenticate(user) else None
        return None
