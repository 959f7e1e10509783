"""Celery: connect, read the clock, make one call."""
