"""The dashboard's settings, and what the pages of the peers need."""

from pathlib import Path

from dashboard.settings import *  # noqa: F403
from dashboard.settings import INSTALLED_APPS, TEMPLATES

INSTALLED_APPS = [*INSTALLED_APPS, "django.contrib.admin", "django_filters", "django_tables2"]
ROOT_URLCONF = "benchmarks.peers.urls"
TEMPLATES[0]["DIRS"] = [*TEMPLATES[0]["DIRS"], Path(__file__).parent / "templates"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
