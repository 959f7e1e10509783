"""The views above the instance list: those of the dashboard, one's own, and the shared ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qsl

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from dashboard.models import SavedView, User
from dashboard.models.addresses import page_address
from dashboard.models.saved_view import named_views
from dashboard.templatetags.links import ViewLink
from dashboard.views.links import Links


@dataclass(frozen=True)
class SystemView:
    """A view that everybody has and nobody changes. `title` and `finds`: in English."""

    slug: str
    title: str
    query: str
    finds: str

    @property
    def name(self) -> str:
        """In the reader's language, as what it says."""
        return _(self.title)

    @property
    def says(self) -> str:
        return _(self.finds)

    def get_absolute_url(self) -> str:
        return f"{page_address('instances')}?{self.query}&view={self.slug}"


SYSTEM_VIEWS = (
    SystemView(
        "running", gettext_noop("Running"), "q=status:running,rollingBack",
        gettext_noop("What is at work now"),
    ),
    SystemView(
        "stuck", gettext_noop("Stuck"), "q=is:stuck",
        gettext_noop(
            "What should have gone on by now, by what is usual for its step or by its own clock, "
            "and was seen where it stands after that"
        ),
    ),
    SystemView(
        "errored-today", gettext_noop("Errored today"), "q=status:errored+ended:%3E24h",
        gettext_noop("What ended with an error in the last 24 hours"),
    ),
    SystemView(
        "waiting-for-event", gettext_noop("Waiting for an event"), "q=is:waiting-for-event",
        gettext_noop("What waits for somebody to send it an event, as last read"),
    ),
    SystemView(
        "forgotten", gettext_noop("Paused and forgotten"), "q=is:forgotten",
        gettext_noop("What has been paused for more than 24 hours"),
    ),
)  # fmt: skip


class CurrentView:
    """Which view the list was come to by, and whether it is still that one."""

    def __init__(self, user: User, slug: str, links: Links) -> None:
        self.user = user
        self.slug = slug
        self.links = links

    @cached_property
    def saved(self) -> list[SavedView]:
        return named_views(self.user)

    @cached_property
    def chosen(self) -> SystemView | SavedView | None:
        """The view that the address names, as far as this reader may see it."""
        known: dict[str, SystemView | SavedView] = {view.slug: view for view in SYSTEM_VIEWS}
        return (known | {str(view.pk): view for view in self.saved}).get(self.slug)

    @property
    def name(self) -> str:
        return self.chosen.name if self.chosen else _("Instances")

    @property
    def says(self) -> str:
        return self.chosen.says if isinstance(self.chosen, SystemView) else ""

    @cached_property
    def query(self) -> str:
        """The list as it is now, to be saved."""
        return self.links.query("view")

    @cached_property
    def is_changed(self) -> bool:
        """True when the list is another one than the view that it was come to by."""
        return self.chosen is not None and _told(self.chosen.query) != _told(self.query)

    @property
    def can_save(self) -> bool:
        view = self.chosen
        return isinstance(view, SavedView) and view.may_be_changed_by(self.user)

    @property
    def all(self) -> ViewLink:
        href = page_address("instances")
        return ViewLink(_("All"), href, _("Every instance"), not self.query and not self.chosen)

    @property
    def system(self) -> list[ViewLink]:
        return [self.all, *self._links_to(SYSTEM_VIEWS)]

    @property
    def own(self) -> list[ViewLink]:
        return self._links_to([view for view in self.saved if view.owner_id == self.user.pk])

    @property
    def shared(self) -> list[ViewLink]:
        return self._links_to([view for view in self.saved if view.owner_id != self.user.pk])

    def _links_to(self, views: Sequence[SystemView | SavedView]) -> list[ViewLink]:
        return [
            ViewLink(
                view.name,
                view.get_absolute_url(),
                view.says
                if isinstance(view, SystemView)
                else _("Saved by %(owner)s") % {"owner": view.owner.username},
                view is self.chosen,
            )
            for view in views
        ]


def _told(query: str) -> list[tuple[str, str]]:
    """What a query says, whatever its order."""
    return sorted(parse_qsl(query))
