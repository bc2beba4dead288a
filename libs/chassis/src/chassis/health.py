"""`/livez`, `/readyz` and `/metrics`, answered before host check, session and permissions: probes have none of them."""

from collections.abc import Callable

from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django_prometheus.exports import ExportToDjangoView

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class HealthMiddleware:
    """Answers the three addresses of the operator and passes on all others."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.migrated = False

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        match request.path:
            case "/livez":
                return _text("ok")
            case "/readyz":
                return self.ready()
            case "/metrics":
                metrics: HttpResponse = ExportToDjangoView(request)
                return metrics
        return self.get_response(request)

    def ready(self) -> HttpResponse:
        """200 if the own database answers and has every migration of this code; nobody else's health matters here."""
        try:
            waiting = self.waiting_migrations()
        except DatabaseError:
            return _text("database does not answer", status=503)
        if waiting:
            return _text(f"migrations to apply: {waiting}", status=503)
        return _text("ok")

    def waiting_migrations(self) -> int:
        """How many are not applied; the files are asked only until there is none, as code does not change later."""
        if self.migrated:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            return 0
        applied = MigrationRecorder(connection).applied_migrations()
        known = MigrationLoader(None).disk_migrations
        waiting = sum(1 for name in known if name not in applied)
        self.migrated = waiting == 0
        return waiting


def _text(text: str, *, status: int = 200) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain", headers={"Cache-Control": "no-store"})
