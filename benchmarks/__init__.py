"""Measurements; `python -m benchmarks.<name>` runs one."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup()
