"""The web process of a service."""

import os

from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

POOL_SIZE = "8"


def make_application() -> WSGIHandler:
    """The WSGI application, with a pool of connections: only the web process has threads that share them."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("DATABASE_POOL_SIZE", POOL_SIZE)
    return get_wsgi_application()
