"""The parts that `service_settings` puts together, one function per subject."""

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured

from chassis.database import connection_options
from chassis.money import SYMBOLS
from chassis.settings.environment import DEMO_TIME_ZONE, Environment

TWELVE_HOURS = 12 * 3600


def installed_apps(apps: Sequence[str], *, replica: bool, events: bool) -> list[str]:
    """The service's apps first: their templates win over those of the libraries."""
    return [
        *apps,
        *(["chassis.replica", "chassis.identity"] if replica else []),
        "chassis",
        *(["eventbus"] if events else []),
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "whitenoise.runserver_nostatic",
        "django.contrib.staticfiles",
        "django.forms",
        "django_htmx",
        "django_prometheus",
    ]


def middleware(extra: Sequence[str], *, replica: bool) -> list[str]:
    """Outermost first. Health comes before the host check: probes ask by the address of the pod."""
    return [
        "chassis.health.HealthMiddleware",
        "chassis.tracing.TraceMiddleware",
        "chassis.logs.RequestLogMiddleware",
        "django_prometheus.middleware.PrometheusBeforeMiddleware",
        "django.middleware.security.SecurityMiddleware",
        "csp.middleware.CSPMiddleware",
        "chassis.errors.UnavailableMiddleware",
        "chassis.errors.TooLargeMiddleware",
        "whitenoise.middleware.WhiteNoiseMiddleware",
        "chassis.sessions.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        *(["chassis.identity.middleware.SessionEpochMiddleware"] if replica else []),
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
        "django_htmx.middleware.HtmxMiddleware",
        "chassis.permissions.PermissionMiddleware",
        "chassis.errors.NotUnderstoodMiddleware",
        "chassis.errors.MethodNotAllowedMiddleware",
        *extra,
        "django_prometheus.middleware.PrometheusAfterMiddleware",
    ]


def database_settings(environment: Environment, name: str) -> dict[str, Any]:
    """One database. `DATABASE_POOL_SIZE` > 0 (set by the web process, `chassis.wsgi`) pools its connections.

    Long-running commands and workers hold a connection each and need no pool.
    """
    url = environment.required("DATABASE_URL", relaxed=f"postgresql:///{name}")
    database: dict[str, Any] = environment.env.db_url_config(url)
    options = connection_options(
        service=name,
        statement_timeout_ms=environment.integer("DATABASE_STATEMENT_TIMEOUT_MS", 30_000),
        lock_timeout_ms=environment.integer("DATABASE_LOCK_TIMEOUT_MS", 10_000),
    )
    pool_size = environment.integer("DATABASE_POOL_SIZE", 0)
    if pool_size:
        # An attempt to connect is given up as early as a request: while one waits, longer each time, no other is begun.
        options["pool"] = {"min_size": 1, "max_size": pool_size, "timeout": 5, "max_idle": 300, "reconnect_timeout": 5}
    database |= {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 0 if pool_size else 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": database.get("OPTIONS", {}) | options,
    }
    return {"DATABASES": {"default": database}, "DATABASE_APP_ROLE": environment.text("DATABASE_APP_ROLE")}


def security_settings(environment: Environment, name: str, urls: Mapping[str, str]) -> dict[str, Any]:
    """Secrets, hosts, cookies named per service (ports share cookies) and the content security policy."""
    own = urlsplit(urls.get(name, urls["tasks"]))
    https = own.scheme == "https"
    local = ["127.0.0.1", "localhost", "testserver"] if environment.relaxed else []
    found: dict[str, Any] = {
        "SECRET_KEY": environment.secret("SECRET_KEY"),
        "ALLOWED_HOSTS": [own.hostname, *environment.words("ALLOWED_HOSTS"), *local],
        "CSRF_TRUSTED_ORIGINS": [f"{own.scheme}://{own.netloc}"],
        "SESSION_COOKIE_NAME": f"{name}_session",
        "SESSION_COOKIE_AGE": TWELVE_HOURS,
        "SESSION_COOKIE_SECURE": https,
        "CSRF_COOKIE_NAME": f"{name}_csrf",
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SECURE": https,
        "CSRF_FAILURE_VIEW": "chassis.errors.csrf_failure",
        # A cookie would be shared between the ports; the session is not.
        "MESSAGE_STORAGE": "chassis.messages.MessageStorage",
        "X_FRAME_OPTIONS": "DENY",
        "SECURE_HSTS_SECONDS": 31_536_000 if https else 0,
        "CONTENT_SECURITY_POLICY": {"DIRECTIVES": _policy(urls)},
    }
    if https:
        # gunicorn speaks plain HTTP behind the proxy that ends TLS.
        found["SECURE_PROXY_SSL_HEADER"] = ("HTTP_X_FORWARDED_PROTO", "https")
    return found


def _policy(urls: Mapping[str, str]) -> dict[str, list[str]]:
    own = ["'self'"]
    return {
        "default-src": ["'none'"],
        "script-src": own,
        "style-src": own,
        "img-src": [*own, "data:"],  # the icons in Bootstrap's style sheet
        "font-src": own,
        "connect-src": own,
        # Browsers apply it to the redirects after a form too: signing in and out crosses the services.
        "form-action": [*own, *dict.fromkeys(urls.values())],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }


def static_settings(environment: Environment, base_dir: Path) -> dict[str, Any]:
    """Static files, served by the service itself: hashed and compressed once `collectstatic` has run."""
    root = base_dir / "staticfiles"
    # whitenoise misses the folder aloud where the files are served from their sources.
    warnings.filterwarnings("ignore", message="No directory at", category=UserWarning)
    return {
        "STATIC_URL": "/static/",
        "STATIC_ROOT": root,
        "STATIC_JOINED_ROOT": base_dir / ".joined",
        "STATICFILES_FINDERS": [
            "django.contrib.staticfiles.finders.AppDirectoriesFinder",
            "chassis.static_files.JoinedFinder",
        ],
        "STORAGES": {
            "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
            "staticfiles": {"BACKEND": "chassis.static_files.HashedStaticFiles"},
        },
        "WHITENOISE_USE_FINDERS": not (root / "staticfiles.json").exists(),
        "WHITENOISE_AUTOREFRESH": environment.debug,
    }


def template_settings(environment: Environment, *, replica: bool) -> dict[str, Any]:
    """Templates of the apps; a changed one shows at once in debug and demo."""
    loaders: list[Any] = ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"]
    if not environment.relaxed:
        loaders = [("django.template.loaders.cached.Loader", loaders)]
    processors = [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
        "chassis.context.page",
        *(["chassis.identity.sessions.sign_out_hint"] if replica else []),
    ]
    template = {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {"loaders": loaders, "context_processors": processors},
    }
    return {"TEMPLATES": [template], "FORM_RENDERER": "django.forms.renderers.TemplatesSetting"}


def money_and_time_settings(environment: Environment) -> dict[str, Any]:
    """What a day is and what an amount means. Times are stored in UTC whatever TIME_ZONE says (USE_TZ)."""
    zone = environment.required("BUSINESS_TIME_ZONE", relaxed=DEMO_TIME_ZONE)
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise ImproperlyConfigured(f"BUSINESS_TIME_ZONE: {zone!r} is not a time zone.") from error
    currency = environment.text("CURRENCY", "USD").upper()
    if currency not in SYMBOLS:
        raise ImproperlyConfigured(f"CURRENCY: {currency!r} is not one of {', '.join(SYMBOLS)}.")
    return {
        "USE_TZ": True,
        "TIME_ZONE": zone,
        "BUSINESS_TIME_ZONE": zone,
        "CURRENCY": currency,
        "USE_I18N": True,
        "LANGUAGE_CODE": "en",
    }


def celery_settings(environment: Environment, beat: Mapping[str, Any]) -> dict[str, Any]:
    """Celery on Valkey: rows in the database are the truth, a task is only the nudge to look at them."""
    return {
        "CELERY_BROKER_URL": environment.required("VALKEY_URL", relaxed="redis://127.0.0.1:6379/0"),
        "CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP": True,
        "CELERY_BROKER_TRANSPORT_OPTIONS": {"socket_timeout": 5, "socket_connect_timeout": 5, "max_retries": 3},
        "CELERY_TASK_IGNORE_RESULT": True,
        "CELERY_TASK_ACKS_LATE": True,
        "CELERY_WORKER_PREFETCH_MULTIPLIER": 1,
        "CELERY_WORKER_HIJACK_ROOT_LOGGER": False,
        "CELERY_TIMEZONE": "UTC",
        "CELERY_BEAT_SCHEDULER": "chassis.celery:Clock",
        "CELERY_BEAT_MAX_LOOP_INTERVAL": 10,
        "CELERY_BEAT_SCHEDULE": {
            # At a time of day: an interval begins anew with each start of the clock, and a deploy a day would be never.
            "tidy": {"task": "chassis.tidy", "schedule": "10 3 * * *"},
            "prune inbox": {"task": "eventbus.prune_inbox", "schedule": "20 3 * * *"},
            **beat,
        },
    }


def eventbus_settings(
    environment: Environment, name: str, base_dir: Path, *, consumers: str, state: str
) -> dict[str, Any]:
    """The event bus: addresses, the frozen schemas of the repository and the service's tables of handlers and state."""
    return {
        "EVENTBUS": {
            "SERVICE": name,
            "SCHEMAS": Path(environment.text("SCHEMAS_DIR") or base_dir.parent / "schemas"),
            "BOOTSTRAP_SERVERS": environment.required("KAFKA_BOOTSTRAP_SERVERS", relaxed="127.0.0.1:9092"),
            "CLIENT_SETTINGS": json.loads(environment.text("KAFKA_CLIENT_SETTINGS") or "{}"),
            "REGISTRY_URL": environment.required(
                "SCHEMA_REGISTRY_URL", relaxed="http://127.0.0.1:8081/apis/ccompat/v7"
            ),
            "TOPIC_PREFIX": environment.text("KAFKA_TOPIC_PREFIX"),
            "REPLICATION_FACTOR": environment.integer("KAFKA_REPLICATION_FACTOR", 1),
            "SHARDS": environment.integer("RELAY_SHARDS", 1),
            "RELAY_DATABASE": environment.text("RELAY_DATABASE_URL"),
            "CONSUMERS": consumers,
            "STATE": state,
            # Its events carry the whole access of an account, so a later one makes those before it void.
            "SUPERSEDING": ["accounts"],
        }
    }
