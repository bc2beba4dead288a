"""Settings of the shop; the pytest plugin sets the environment, which type checking does without."""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

import structlog

HERE = Path(__file__).parent
_ADDRESS = urlsplit(os.environ.get("DATABASE_URL", "postgresql:///eventbus"))

SECRET_KEY = "only-for-tests"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "sample.urls"
INSTALLED_APPS = ["django.contrib.messages", "django.contrib.sessions", "eventbus", "sample"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _ADDRESS.path.lstrip("/"),
        "USER": unquote(_ADDRESS.username or ""),
        "PASSWORD": unquote(_ADDRESS.password or ""),
        "HOST": _ADDRESS.hostname,
        "PORT": _ADDRESS.port,
        "OPTIONS": {"options": "-c lock_timeout=1000 -c idle_in_transaction_session_timeout=10000"},
    }
}
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
EVENTBUS = {
    "SERVICE": "shop",
    "SCHEMAS": HERE / "schemas",
    "BOOTSTRAP_SERVERS": os.environ.get("KAFKA_BOOTSTRAP_SERVERS", ""),
    "REGISTRY_URL": os.environ.get("SCHEMA_REGISTRY_URL", ""),
    "TOPIC_PREFIX": os.environ.get("KAFKA_TOPIC_PREFIX", ""),
    "CONSUMERS": "sample.consumed.CONSUMERS",
    "STATE": "sample.published.STATE",
    "SUPERSEDING": ["cards"],
    "RELAY_IDLE_SECONDS": int(os.environ.get("RELAY_IDLE_SECONDS", "30")),
}
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ]
)
