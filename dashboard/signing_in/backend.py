from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

from dashboard.models import User

#: Comes with each request's user, so that who was granted nothing costs no query. By hand: the ORM
#: takes longer to write it than the database to answer.
HAS_GRANTS = RawSQL(
    "EXISTS (SELECT 1 FROM dashboard_grant WHERE dashboard_grant.user_id = dashboard_user.id)",
    [],
    output_field=BooleanField(),
)


class Backend(AuthenticationBackend):  # type: ignore[misc]
    """Passwords, as allauth checks them; and who a session belongs to."""

    def get_user(self, user_id: Any) -> User | None:
        user = User.objects.annotate(has_grants=HAS_GRANTS).filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
