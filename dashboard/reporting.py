"""What this program tells others of itself, where settings ask for it: errors to Sentry (or what
speaks its protocol), traces to OpenTelemetry. Without those settings neither is imported.

`SENTRY_DSN` turns on the one, `OTEL_EXPORTER_OTLP_ENDPOINT` the other; all further variables of
OpenTelemetry are its own (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
"""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from dashboard import logs


def start(process: str) -> None:
    """Called once in each process that answers or works: `web`, `worker`, `beat`.

    Raises ImproperlyConfigured where traces are wanted and their packages are missing.
    """
    if settings.SENTRY_DSN:
        _report_errors(process)
    if settings.OTLP_ENDPOINT:
        _trace(process)


def _report_errors(process: str) -> None:
    import sentry_sdk

    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        before_send=_without_secrets,
        # Neither who it was nor what they sent, nor what stood in variables: a token might.
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        server_name=process,
    )


def _without_secrets(event: Any, _hint: dict[str, Any]) -> Any:
    """The event as it is sent: no credentials, the id that the log names, and no outages, which
    nobody can mend in this code."""
    error = _hint.get("exc_info", (None, None))[1]
    if isinstance(error, (*logs.DATABASE_AWAY, *logs.REDIS_AWAY)):
        return None
    told: dict[str, Any] = _redacted(event)
    told.setdefault("tags", {})["request_id"] = logs.request_id()
    return told


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return logs.redact(value)
    if isinstance(value, dict):
        return {key: _redacted(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(one) for one in value]
    return value


def _trace(process: str) -> None:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.instrumentation.celery import CeleryInstrumentor
        from opentelemetry.instrumentation.django import DjangoInstrumentor
        from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace import set_tracer_provider
    except ImportError as error:
        raise ImproperlyConfigured(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, and the packages that trace are missing; "
            f"install those of requirements-telemetry.txt ({error})."
        ) from error
    os.environ.setdefault("OTEL_SERVICE_NAME", f"workflows-dashboard-{process}")
    provider = TracerProvider(resource=Resource.create())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    set_tracer_provider(provider)
    for instrumentor in (DjangoInstrumentor, CeleryInstrumentor, HTTPXClientInstrumentor):
        instrumentor().instrument()
