from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from dashboard.models import User, by_hand

#: Comes with each request's user, so that who was granted nothing costs no query.
HAS_GRANTS = (
    "EXISTS (SELECT 1 FROM dashboard_grant WHERE dashboard_grant.user_id = dashboard_user.id)"
)


class Backend(AuthenticationBackend):  # type: ignore[misc]
    """Passwords, as allauth checks them; and who a session belongs to, see `store.py`."""

    def get_user(self, user_id: Any) -> User | None:
        """The user with this key, as long as they may sign in."""
        for user in by_hand.whole(User, "id IN {}", [user_id], has_grants=HAS_GRANTS):
            return user if self.user_can_authenticate(user) else None
        return None
