"""Settings that all services share; a service's `config/settings.py` names only what is its own.

BASE_DIR = Path(__file__).resolve().parent.parent
globals().update(service_settings(name="billing", base_dir=BASE_DIR, apps=["billing"], consumers="…"))
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chassis import logs
from chassis.identity.settings import identity_settings
from chassis.settings.environment import DEMO_TIME_ZONE, Environment
from chassis.settings.logging import logging_settings
from chassis.settings.parts import (
    celery_settings,
    database_settings,
    eventbus_settings,
    installed_apps,
    middleware,
    money_and_time_settings,
    security_settings,
    static_settings,
    template_settings,
)

__all__ = ["DEMO_TIME_ZONE", "Environment", "service_settings"]


def service_settings(
    *,
    name: str,
    base_dir: Path,
    apps: Sequence[str],
    consumers: str = "",
    state: str = "",
    figures: str = "",
    replica: bool = True,
    extra_middleware: Sequence[str] = (),
    beat: Mapping[str, Any] | None = None,
    events: bool = True,
) -> dict[str, Any]:
    """All settings of the service `name`, read from the environment.

    `apps` are the service's own apps; `consumers` and `state` are dotted paths of its events' tables, `figures` of
    what its worker reads from the database for Prometheus (`chassis.figures`); `replica` says
    that accounts are replicated from auth (auth itself has the originals); `extra_middleware` comes last; `beat` is
    celery's schedule; `events=False` leaves the event bus out. Raises ImproperlyConfigured where production lacks a
    value or has a demo value.
    """
    environment = Environment(base_dir)
    urls = environment.public_urls()
    logs.configure()
    found: dict[str, Any] = {
        "SERVICE_NAME": name,
        "BASE_DIR": base_dir,
        "DEBUG": environment.debug,
        "DEMO": environment.demo,
        "PUBLIC_URLS": urls,
        "PUBLIC_URL": urls.get(name, urls["tasks"]),
        "AUTH_INTERNAL_URL": environment.text("AUTH_INTERNAL_URL", urls["auth"]).rstrip("/"),
        "NAVIGATION": [],
        "FIGURES": [
            "chassis.certificates.FIGURES",
            *(["eventbus.figures.FIGURES"] if events else []),
            *([figures] if figures else []),
        ],
        "ROOT_URLCONF": "config.urls",
        "WSGI_APPLICATION": "config.wsgi.application",
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "INSTALLED_APPS": installed_apps(apps, replica=replica, events=events),
        "MIDDLEWARE": middleware(extra_middleware, replica=replica),
        "LOGIN_URL": "/login",
        "LOGIN_REDIRECT_URL": "/",
        "LOGOUT_REDIRECT_URL": "/",
        "LOGGING": logging_settings(
            log_format=environment.text("LOG_FORMAT", "json"), level=environment.text("LOG_LEVEL", "INFO")
        ),
        # Empty: nothing is traced, and nothing of the SDK imported. Its other OTEL_… variables hold as well.
        "OTEL_EXPORTER_OTLP_ENDPOINT": environment.text("OTEL_EXPORTER_OTLP_ENDPOINT"),
        **environment.env.email_url("EMAIL_URL", default="consolemail://"),
        "EMAIL_TIMEOUT": 10,
        "DEFAULT_FROM_EMAIL": environment.text("DEFAULT_FROM_EMAIL", f"tracker@{_host(urls['auth'])}"),
    }
    found |= database_settings(environment, name)
    found |= security_settings(environment, name, urls)
    found |= static_settings(environment, base_dir)
    found |= template_settings(environment, replica=replica)
    found |= money_and_time_settings(environment)
    found |= celery_settings(environment, beat or {})
    if events:
        found |= eventbus_settings(environment, name, base_dir, consumers=consumers, state=state)
    if replica:
        found |= {"AUTH_USER_MODEL": "replica.Account", **identity_settings(environment, name)}
    return found


def _host(url: str) -> str:
    return urlsplit(url).hostname or "localhost"
