"""The web process of a service."""

import gc
import os

from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

POOL_SIZE = "8"
# Objects made before the collector looks at the youngest: a set of 100,000 makes millions, none of them in a circle.
COLLECT_EVERY = 50_000


def make_application() -> WSGIHandler:
    """The WSGI application, with a pool of connections: only the web process has threads that share them.

    What is loaded by now stays, so the garbage collector leaves it alone: a fifth of the time of a large reassignment.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("DATABASE_POOL_SIZE", POOL_SIZE)
    application = get_wsgi_application()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY, *gc.get_threshold()[1:])
    return application
