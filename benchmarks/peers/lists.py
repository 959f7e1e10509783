"""Django's admin as one tunes it, django-filter with django-tables2, and a page of nothing."""

from __future__ import annotations

import django_filters
import django_tables2
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django_filters.views import FilterView

from dashboard.models import Instance

FIELDS = (
    "status", "instance_id", "workflow", "error_name", "created_on", "started_on", "ended_on",
    "duration_ms", "trigger", "version_id",
)  # fmt: skip
PAGE = 50


class TunedAdmin(admin.ModelAdmin):
    """As one writes it for many rows: no total, no second query, an order that an index has."""

    list_display = FIELDS
    list_filter = ("status",)
    list_select_related = ("workflow",)
    search_fields = ("instance_id",)
    ordering = ("-created_on", "-id")
    show_full_result_count = False
    list_per_page = PAGE


class InstanceFilter(django_filters.FilterSet):
    """Filters as a form."""

    class Meta:
        model = Instance
        fields = ("status", "workflow", "trigger")


class Table(django_tables2.Table):
    """Columns that can be sorted by."""

    class Meta:
        model = Instance
        fields = FIELDS


class InstanceTable(django_tables2.SingleTableMixin, FilterView):
    """A page of the table with its filters."""

    model = Instance
    queryset = Instance.objects.select_related("workflow").order_by("-created_on", "-id")
    table_class = Table
    filterset_class = InstanceFilter
    paginate_by = PAGE
    template_name = "peers/table.html"


tuned = admin.AdminSite("tuned")
tuned.register(Instance, TunedAdmin)


def nothing(request: HttpRequest) -> HttpResponse:
    """The floor: whatever Django does for somebody who is signed in, and no page."""
    return HttpResponse(request.user.get_username())
