"""WSGI entry point: `gunicorn config.wsgi`."""

from chassis.wsgi import make_application

application = make_application()
