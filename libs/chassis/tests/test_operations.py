"""What an operator asks of a service: health, metrics, logs, traces, jobs."""

import json
import logging
from uuid import uuid4

import pytest
import structlog
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpResponse
from django.utils import timezone
from gunicorn.config import Config
from opentelemetry import trace
from opentelemetry.context import attach, detach
from prometheus_client import CollectorRegistry

from chassis import celery as chassis_celery
from chassis import figures, web_server
from chassis.health import HealthMiddleware
from chassis.jobs import tidy
from chassis.models import FormKey
from chassis.settings.logging import logging_settings
from chassis.tracing import TraceMiddleware, current_trace_id, trace_context
from chassis.wsgi import make_application

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_alive_asks_nothing_of_the_database_and_of_the_host_name(client):
    response = client.get("/livez", headers={"Host": "10.1.2.3"})
    assert (response.status_code, response.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_ready_wants_the_database_and_all_migrations(client):
    assert client.get("/readyz").status_code == 200
    assert client.get("/readyz").content == b"ok\n"


@pytest.mark.django_db
def test_not_ready_until_every_migration_is_applied(rf):
    health = HealthMiddleware(lambda _request: HttpResponse())
    MigrationRecorder(connection).record_unapplied("sample", "0001_initial")
    response = health(rf.get("/readyz"))
    assert (response.status_code, response.content) == (503, b"migrations to apply: 1\n")
    MigrationRecorder(connection).record_applied("sample", "0001_initial")
    assert health(rf.get("/readyz")).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_not_ready_while_the_database_does_not_answer(client):
    assert client.get("/readyz").status_code == 200
    port = connection.settings_dict["PORT"]
    connection.close()
    connection.settings_dict["PORT"] = "1"
    try:
        response = client.get("/readyz")
    finally:
        connection.settings_dict["PORT"] = port
    assert (response.status_code, response.content) == (503, b"database does not answer\n")


@pytest.mark.django_db
def test_metrics_are_those_of_prometheus(client):
    client.get("/open")
    assert b"django_http_requests_total_by_method_total" in client.get("/metrics").content


@pytest.fixture
def lines(capsys):
    """The log lines of a service in production, as JSON."""
    handler = logging.StreamHandler()
    configured = logging_settings(log_format="json", level="INFO")["formatters"]["structured"]
    options = {key: value for key, value in configured.items() if key != "()"}
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(**options))
    root = logging.getLogger()
    root.addHandler(handler)
    handler.stream = stream = _Lines()
    yield stream.lines
    root.removeHandler(handler)


class _Lines:
    def __init__(self):
        self.lines = []

    def write(self, text):
        self.lines += [json.loads(line) for line in text.splitlines() if line]

    def flush(self):
        """Lines are kept as they come."""


def test_a_request_is_one_line_with_its_ids_and_nothing_personal(browser, lines):
    headers = {"X-Request-ID": "r-1", "traceparent": PARENT, "User-Agent": "Firefox"}
    browser("worker").get("/samples?q=wilma", headers=headers)
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/samples", 200)
    assert (line["request_id"], line["trace_id"]) == ("r-1", "0af7651916cd43dd8448eb211c80319c")
    assert (line["service"], line["level"]) == ("tasks", "info")
    assert line["timestamp"].endswith("Z")
    text = json.dumps(line)
    assert not any(personal in text for personal in ("wilma", "Wilma", "popug.example", "127.0.0.1", "Firefox"))


def test_an_error_is_logged_with_its_traceback_and_without_the_query(client, lines):
    client.raise_request_exception = False
    client.get("/broken?code=a-code-to-sign-in-with")
    assert any("RuntimeError: broken" in line.get("exception", "") for line in lines)
    assert "a-code" not in json.dumps(lines)


def test_addresses_in_the_words_of_an_exception_are_hidden(lines):
    try:
        raise ValueError("Key (email)=(w.weber@popug.example) exists; postgres://app:Tr0ub4dor@10.0.0.1:5432/tasks")
    except ValueError:
        logging.getLogger("sample").exception("mail to <w.weber@popug.example> failed")
    (line,) = lines
    assert line["event"] == "mail to <…@…> failed"
    assert "Key (email)=(…@…) exists; postgres://app:…@…:5432/tasks" in line["exception"]


def test_gunicorn_speaks_as_all_others_do(capfd, monkeypatch):
    monkeypatch.setenv("LOG_FORMAT", "json")
    web_server.Logger(Config()).info("Listening at: %s", "127.0.0.1")
    line = json.loads(capfd.readouterr().err)
    assert (line["event"], line["service"], line["logger"]) == ("Listening at: 127.0.0.1", "tasks", "gunicorn.error")


@pytest.mark.parametrize("given", ["", "x" * 65, "zeile\x7f", "é"])
def test_a_request_id_that_cannot_be_logged_is_replaced(client, given):
    answered = client.get("/open", headers={"X-Request-ID": given})["X-Request-ID"]
    assert answered != given
    assert len(answered) == 32


def test_the_console_shows_the_same_lines_for_people():
    chain = logging_settings(log_format="console", level="INFO")["formatters"]["structured"]["processors"]
    assert isinstance(chain[-1], structlog.dev.ConsoleRenderer)


def test_a_request_joins_the_trace_that_called_it_under_a_span_of_its_own():
    span = trace.get_current_span(trace_context({"traceparent": PARENT})).get_span_context()
    assert trace.format_trace_id(span.trace_id) == "0af7651916cd43dd8448eb211c80319c"
    assert trace.format_span_id(span.span_id) != "b7ad6b7169203331"


@pytest.mark.parametrize("headers", [{}, {"traceparent": "nonsense"}])
def test_a_request_without_a_trace_begins_one(headers):
    first, second = (trace.get_current_span(trace_context(headers)).get_span_context() for _ in range(2))
    assert first.is_valid
    assert first.trace_id != second.trace_id


def test_the_trace_ends_with_the_request_and_one_already_begun_is_kept(rf):
    seen = []
    middleware = TraceMiddleware(lambda _request: seen.append(current_trace_id()) or HttpResponse())
    middleware(rf.get("/"))
    assert len(seen[0]) == 32
    assert current_trace_id() == ""
    token = attach(trace_context({"traceparent": PARENT}))
    middleware(rf.get("/"))
    detach(token)
    assert seen[1] == "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.django_db
def test_housekeeping_deletes_what_nobody_will_use_again(client):
    FormKey.objects.create(key="00000000-0000-0000-0000-000000000001", kind="sample")
    FormKey.objects.update(created_at=timezone.datetime(2020, 1, 1, tzinfo=timezone.get_default_timezone()))
    tidy()
    assert not FormKey.objects.exists()


def test_a_worker_finds_the_jobs_of_chassis_and_of_the_service(settings):
    app = chassis_celery.make_app("tasks")
    app.loader.import_default_modules()
    assert "chassis.tidy" in app.tasks
    assert app.conf.broker_url == settings.CELERY_BROKER_URL


def test_a_worker_touches_its_heartbeat_file_and_serves_metrics_where_asked(tmp_path, monkeypatch):
    beat = tmp_path / "beat"
    chassis_celery.touch_heartbeat()
    monkeypatch.setenv("HEARTBEAT_FILE", str(beat))
    chassis_celery.touch_heartbeat()
    assert beat.exists()
    ports, registered = [], []
    monkeypatch.setattr(chassis_celery, "start_http_server", lambda *address: ports.append(address))
    monkeypatch.setattr(chassis_celery.figures, "register", lambda: registered.append(True))
    chassis_celery.serve_metrics()
    monkeypatch.setenv("METRICS_PORT", "9100")
    chassis_celery.serve_metrics()
    chassis_celery.keep_logging()
    assert (ports, registered) == ([(9100, "0.0.0.0")], [True])


FIGURES = {"form_keys": figures.Figure("Form keys kept", FormKey.objects.count)}


@pytest.mark.django_db(transaction=True)
def test_figures_are_read_from_the_database_at_each_scrape(settings):
    settings.FIGURES = [f"{__name__}.FIGURES"]
    registry = CollectorRegistry()
    figures.register(registry)
    assert registry.get_sample_value("form_keys") == 0
    FormKey.objects.create(key=uuid4(), kind="cages")
    assert registry.get_sample_value("form_keys") == 1


@pytest.mark.django_db(transaction=True)
def test_figures_are_missing_while_the_database_is_away(settings, monkeypatch):
    settings.FIGURES = [f"{__name__}.FIGURES"]
    registry = CollectorRegistry()
    figures.register(registry)
    port = connection.settings_dict["PORT"]
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    assert registry.get_sample_value("form_keys") is None
    assert registry.get_sample_value("tracker_database_answers") == 0
    monkeypatch.setitem(connection.settings_dict, "PORT", port)
    assert registry.get_sample_value("form_keys") == 0
    assert registry.get_sample_value("tracker_database_answers") == 1


def test_the_web_process_asks_for_a_pool(monkeypatch):
    monkeypatch.delenv("DATABASE_POOL_SIZE", raising=False)
    assert callable(make_application())
    assert __import__("os").environ["DATABASE_POOL_SIZE"] == "8"
    monkeypatch.delenv("DATABASE_POOL_SIZE")
