from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DashboardConfig(AppConfig):
    name = "dashboard"
    verbose_name = "Cloudflare Workflows"

    def ready(self) -> None:
        from dashboard import checks  # noqa: F401  (registers itself)
        from dashboard.signing_in import sessions  # noqa: F401  (hears of each sign-in)

        post_migrate.connect(ensure_what_migrations_lose, sender=self)


def ensure_what_migrations_lose(*, using: str, **_: Any) -> None:
    """After each `migrate`, in the database that was migrated: the search index and the seals."""
    from dashboard.models import sealing, search_index

    search_index.ensure(using)
    sealing.ensure(using)
