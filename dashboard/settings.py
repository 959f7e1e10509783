"""Every setting comes from the environment (see `env.py`); nothing set means the embedded default.

The embedded default is SQLite and a private Redis-compatible server on a unix socket, both inside
DATA_DIR. DATABASE_URL and REDIS_URL make the same code the production shape.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import urlsplit

import dj_database_url
from django.utils.translation import to_language

from dashboard import env
from dashboard.supervisor import redis, simulator

BASE_DIR = Path(__file__).resolve().parent.parent

# -- where things are kept ---------------------------------------------------------------------
DATA_DIR = BASE_DIR / env.text(
    "DATA_DIR", ".data", help="Folder of the embedded default's own files; the demo's in `demo`."
)
if simulator.is_wanted():
    DATA_DIR /= "demo"  # What a simulation showed never stands beside what an account holds.
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)


def _secret_key() -> str:
    """The configured key, or one made once and kept in DATA_DIR, readable by its owner only."""
    if key := env.secret("SECRET_KEY", help="Signs sessions; made and kept in DATA_DIR if unset."):
        return key
    path = DATA_DIR / "secret_key"
    if not path.exists():
        # Written aside and linked: of two processes that start at once, both read the same key.
        with NamedTemporaryFile("w", dir=DATA_DIR) as aside, suppress(FileExistsError):
            aside.write(secrets.token_urlsafe(50))
            aside.flush()
            os.link(aside.name, path)
    return path.read_text()


SECRET_KEY = _secret_key()
DEBUG = env.flag("DEBUG", help="Django's debug pages; never in production.")

# -- addresses ---------------------------------------------------------------------------------
BIND = env.text("BIND", "127.0.0.1", help="Address that `make run` listens on.")
PORT = env.number("PORT", 8000, help="Port that `make run` listens on; 0 takes any free one.")
PUBLIC_URL = env.address(
    "PUBLIC_URL",
    schemes=["https", "http"],
    help="Address that people use, such as https://workflows.example.com; turns on secure cookies.",
)
_public = urlsplit(PUBLIC_URL)
# Who asks this machine itself, as a health check does, needs no other name.
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = []
if _public.hostname:
    ALLOWED_HOSTS.append(_public.hostname)
    CSRF_TRUSTED_ORIGINS.append(f"{_public.scheme}://{_public.netloc}")
elif BIND not in {"127.0.0.1", "localhost", "::1"}:
    # Who opens the port to a network says under which name in PUBLIC_URL; until then, any.
    ALLOWED_HOSTS = ["*"]
IS_HTTPS = _public.scheme == "https"
if IS_HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    # HSTS for other names of the domain, and for good, is not for one of them to say.
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_AGE = 3600 * env.number(
    "SESSION_HOURS", 7 * 24, help="Hours after which everybody has to sign in again.", minimum=1
)
SESSION_IDLE_AGE = 3600 * env.number(
    "SESSION_IDLE_HOURS",
    24,
    help="Hours after which who opened no page and sent no form has to sign in again; 0 is never.",
)
# A selection that is sent names each of its instances.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
# What is pasted is held whole; a file of any size is not.
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Subdomains, and lists that browsers come with, are for whoever owns the domain to decide.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
CSRF_FAILURE_VIEW = "dashboard.views.errors.csrf_failure"

# -- Cloudflare --------------------------------------------------------------------------------
# Several accounts: CLOUDFLARE_ACCOUNTS="prod staging", then each variable below once per name,
# with the name in capitals behind it: CLOUDFLARE_API_TOKEN_PROD, CLOUDFLARE_ACCOUNT_ID_PROD, ...
# They are read by `connection.py`, so that a token never stands in a setting.
READ_ONLY = env.flag("READ_ONLY", help="Nobody can act on Cloudflare, whatever their role.")
CLOUDFLARE_UNDOCUMENTED_ROUTES = env.flag(
    "CLOUDFLARE_UNDOCUMENTED_ROUTES", help="Use the two bulk routes that only wrangler knows."
)
CLOUDFLARE_PARAMS_AS_TEXT = env.flag(
    "CLOUDFLARE_PARAMS_AS_TEXT", help="Send params of new instances as JSON text, not as JSON."
)
CLOUDFLARE_TIMEOUT = env.number(
    "CLOUDFLARE_TIMEOUT", 10, help="Seconds to wait for an answer of Cloudflare.", minimum=1
)
BUDGET_SHARE = env.number(
    "BUDGET_SHARE",
    60,
    help="Percent of Cloudflare's 1,200 requests in 5 minutes that background work may use.",
    minimum=1,
    maximum=80,  # `budget.LARGEST_SHARE`, without the time that importing its room takes.
)
KEEP_DAYS = env.number(
    "KEEP_DAYS",
    0,
    help="Days after which ended instances that Cloudflare no longer has, and snapshots that "
    "nobody pinned, are forgotten; 0 keeps all.",
)

METRICS_TOKEN = env.secret(
    "METRICS_TOKEN", help="Bearer token that opens /metrics; unset, one has to be signed in."
)
ALERTS_ALLOW_PRIVATE = env.flag(
    "ALERTS_ALLOW_PRIVATE", help="Alerts may be sent to loopback and private addresses."
)

# -- who may do what ---------------------------------------------------------------------------
SECOND_FACTOR_FOR = env.choice(
    "SECOND_FACTOR_FOR",
    ["nobody", "admins", "operators", "everybody"],
    help="Who must have a second factor: nobody, admins, operators (and admins), or everybody. "
    "Who signs in by the identity provider has it there.",
)
OIDC_ISSUER = env.address(
    "OIDC_ISSUER",
    schemes=["https", "http"],
    help="Address of the identity provider for single sign-on by OpenID Connect.",
)
OIDC_CLIENT_ID = env.text("OIDC_CLIENT_ID", help="This dashboard's name at the identity provider.")
OIDC_CLIENT_SECRET = env.secret("OIDC_CLIENT_SECRET", help="Its secret there.")
OIDC_NAME = env.text("OIDC_NAME", "single sign-on", help="What the sign-in page calls it.")
OIDC_GROUPS_CLAIM = env.text(
    "OIDC_GROUPS_CLAIM", "groups", help="Where the identity provider names somebody's groups."
)
OIDC_SCOPES = env.text(
    "OIDC_SCOPES", "openid profile", help="What is asked of it; some want `groups` as well."
)
#: Groups of the identity provider, by the role that whoever is in one of them has everywhere.
GROUP_ROLES = {
    role: frozenset(
        name.strip()
        for name in env.text(
            f"OIDC_{role.upper()}_GROUPS",
            help=f"Groups of the identity provider, with commas between, who have the role {role}.",
        ).split(",")
        if name.strip()
    )
    for role in ("viewer", "operator", "admin")
}

# -- processes ---------------------------------------------------------------------------------
WEB_WORKERS = env.number("WEB_WORKERS", 1, help="Web processes that `make run` starts.", minimum=1)
CELERY_WORKERS = env.number(
    "CELERY_WORKERS", 1, help="Celery workers that `make run` starts.", minimum=1
)

# -- database ----------------------------------------------------------------------------------
DATABASE_URL = env.secret("DATABASE_URL", help="PostgreSQL, such as postgres://user@host/name.")
if DATABASE_URL:
    env.checked_address("DATABASE_URL", DATABASE_URL, ["postgres", "postgresql"])
    DATABASES = {
        "default": dj_database_url.parse(DATABASE_URL, conn_max_age=60, conn_health_checks=True)
    }
    # Of statements that are written by hand; see `by_hand.rows`.
    DATABASES["default"].setdefault("OPTIONS", {})["prepare_threshold"] = 2
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(DATA_DIR / "dashboard.sqlite3"),
            "CONN_MAX_AGE": 60,  # Opening the file again for each poll costs more than the poll.
            # A file, not memory: only files have the locks that several processes meet.
            "TEST": {"NAME": str(DATA_DIR / "test.sqlite3")},
            # Measured: without IMMEDIATE thousands of "database is locked", with it none.
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;"
                "PRAGMA temp_store=MEMORY;",
            },
        }
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- Redis carries tasks and counts requests; nothing that must last lives in it ----------------
REDIS_URL = env.checked_address(
    "REDIS_URL",
    env.secret(
        "REDIS_URL",
        help="Redis, such as redis://host:6379/0, one number per dashboard; private if unset.",
    ),
    ["redis", "rediss", "unix", "redis+socket"],
)
REDIS_SOCKET = redis.socket_path(DATA_DIR)
CELERY_BROKER_URL = REDIS_URL or f"redis+socket://{REDIS_SOCKET}"
if CELERY_BROKER_URL.startswith("unix://"):
    CELERY_BROKER_URL = "redis+socket://" + CELERY_BROKER_URL.removeprefix("unix://")
#: The same server, as its own client spells a socket: where the request budget is counted.
BUDGET_REDIS_URL = CELERY_BROKER_URL.replace("redis+socket://", "unix://")

# -- Django ------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "dashboard",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "template_partials",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
]
MIDDLEWARE = [
    "dashboard.middleware.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "dashboard.middleware.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "dashboard.signing_in.sessions.Sessions",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "dashboard.middleware.OnlyWhatIsGranted",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "dashboard.middleware.NothingNew",
]
ROOT_URLCONF = "dashboard.urls"
WSGI_APPLICATION = "dashboard.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dashboard.views.page.page_context",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.l10n",
                "template_partials.templatetags.partials",
                "dashboard.templatetags.dashboard",
                "dashboard.templatetags.links",
                "dashboard.templatetags.lists",
            ],
        },
    }
]
AUTH_USER_MODEL = "dashboard.User"
SESSION_ENGINE = "dashboard.signing_in.store"
AUTHENTICATION_BACKENDS = ["dashboard.signing_in.backend.Backend"]
CACHES = {"default": {"BACKEND": "dashboard.caches.OwnAndShared"}}

# -- allauth, which people sign in by ------------------------------------------------------------
ACCOUNT_ADAPTER = "dashboard.signing_in.adapters.Accounts"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_UNIQUE_EMAIL = False
ACCOUNT_SESSION_REMEMBER = True  # Each session ends by the two settings above, none with its tab.
ACCOUNT_FORMS = {"login": "dashboard.signing_in.forms.SignInForm"}
ALLAUTH_TRUSTED_PROXY_COUNT = env.number(
    "PROXIES",
    0,
    help="Proxies before this dashboard that write X-Forwarded-For: whose attempts to sign in are "
    "counted.",
)
MFA_ADAPTER = "dashboard.signing_in.adapters.SecondFactor"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Workflows dashboard"
SOCIALACCOUNT_ADAPTER = "dashboard.signing_in.adapters.SingleSignOn"
SOCIALACCOUNT_LOGIN_ON_GET = True  # Nothing but a link: the policy lets no form lead elsewhere.
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "APPS": [
            {
                "provider_id": "sso",
                "name": OIDC_NAME,
                "client_id": OIDC_CLIENT_ID,
                "secret": OIDC_CLIENT_SECRET,
                "settings": {"server_url": OIDC_ISSUER},
            }
        ]
        if OIDC_ISSUER
        else [],
        "OAUTH_PKCE_ENABLED": True,
        "SCOPE": OIDC_SCOPES.split(),
    }
}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "account_login"
LANGUAGE_CODE = "en-gb"
# A language is offered as soon as its folder is there; with English alone nothing is looked up.
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGES = [
    (LANGUAGE_CODE, "English"),
    *(
        (to_language(one.parent.name), one.parent.name)
        for one in LOCALE_PATHS[0].glob("*/LC_MESSAGES")
    ),
]
USE_I18N = len(LANGUAGES) > 1
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# -- what is told of it ------------------------------------------------------------------------
LOG_FORMAT = env.choice(
    "LOG_FORMAT", ["plain", "json"], help="Lines for people, or one JSON object a line."
)
SENTRY_DSN = env.secret("SENTRY_DSN", help="Where errors of this program are reported, if at all.")
OTLP_ENDPOINT = env.text(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    help="Where traces are sent, if at all; takes requirements-telemetry.txt.",
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {"()": "dashboard.logs.Json"},
    },
    "filters": {
        "outages": {"()": "dashboard.logs.Outages"},
        "no_secrets": {"()": "dashboard.logs.NoSecrets"},
        "work": {"()": "dashboard.logs.Work"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["outages", "no_secrets", "work"],
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # One line per request to Cloudflare is our own client's to write, at debug level.
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        # What it says at debug level names whole addresses, with their secrets.
        "urllib3": {"level": "WARNING"},
        "django.server": {"handlers": ["console"], "propagate": False},
    },
}
