"""What a service refuses to start on, and what it asks of the browser."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from chassis.settings import Environment, service_settings

STRONG = "x7Kq" * 12


@pytest.fixture
def production(monkeypatch):
    """A complete environment of production, to be spoilt; returns the call that starts the service."""
    for name in ("DEBUG", "DEMO", "DATABASE_POOL_SIZE", "ALLOWED_HOSTS", "CURRENCY", "EMAIL_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("auth", "tasks", "billing", "analytics"):
        monkeypatch.setenv(f"{name.upper()}_PUBLIC_URL", f"https://{name}.example/")
    values = {
        "SECRET_KEY": STRONG,
        "OIDC_CLIENT_ID": "billing",
        "OIDC_CLIENT_SECRET": STRONG,
        "DATABASE_URL": "postgres://billing_app:x@db:5432/billing",
        "BUSINESS_TIME_ZONE": "Europe/Berlin",
        "VALKEY_URL": "redis://valkey:6379/2",
        "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
        "SCHEMA_REGISTRY_URL": "http://registry:8080/apis/ccompat/v7",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)

    def start(**changes):
        arguments = {"name": "billing", "base_dir": Path("/srv/billing_service"), "apps": ["billing"]}
        return service_settings(**arguments | changes)

    return start


@pytest.mark.parametrize(
    "name",
    [
        "SECRET_KEY",
        "OIDC_CLIENT_SECRET",
        "OIDC_CLIENT_ID",
        "DATABASE_URL",
        "BUSINESS_TIME_ZONE",
        "VALKEY_URL",
        "KAFKA_BOOTSTRAP_SERVERS",
        "SCHEMA_REGISTRY_URL",
        "AUTH_PUBLIC_URL",
    ],
)
def test_production_does_not_start_without(production, monkeypatch, name):
    production()
    monkeypatch.delenv(name)
    with pytest.raises(ImproperlyConfigured, match=name):
        production()


@pytest.mark.parametrize("name", ["SECRET_KEY", "OIDC_CLIENT_SECRET"])
@pytest.mark.parametrize("value", ["short", "insecure-" + STRONG, "Demo" + STRONG, "change-me" + STRONG])
def test_production_does_not_start_on_a_demo_value(production, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=f"{name} is short or a demo value"):
        production()


@pytest.mark.parametrize("switch", ["DEBUG", "DEMO"])
def test_demo_and_debug_start_on_nothing(production, monkeypatch, switch):
    for name in ("SECRET_KEY", "OIDC_CLIENT_SECRET", "DATABASE_URL", "BUSINESS_TIME_ZONE", "BILLING_PUBLIC_URL"):
        monkeypatch.delenv(name)
    monkeypatch.setenv(switch, "true")
    found = production()
    assert (found["BUSINESS_TIME_ZONE"], found["PUBLIC_URL"]) == ("Europe/Berlin", "http://127.0.0.1:4000")


@pytest.mark.parametrize(("name", "value"), [("BUSINESS_TIME_ZONE", "Mars/Olympus"), ("CURRENCY", "JPY")])
def test_a_zone_or_currency_that_is_not_known_is_refused(production, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=f"{name}: '{value}'"):
        production()


def test_cookies_are_named_per_service_and_kept_from_scripts_and_plain_http(production):
    found = production()
    assert (found["SESSION_COOKIE_NAME"], found["CSRF_COOKIE_NAME"]) == ("billing_session", "billing_csrf")
    assert found["SESSION_COOKIE_SECURE"]
    assert found["CSRF_COOKIE_SECURE"]
    assert found["CSRF_COOKIE_HTTPONLY"]
    assert found["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")
    assert found["ALLOWED_HOSTS"] == ["billing.example"]
    assert found["CSRF_TRUSTED_ORIGINS"] == ["https://billing.example"]


def test_only_the_web_process_pools_its_connections(production, monkeypatch):
    assert "pool" not in production()["DATABASES"]["default"]["OPTIONS"]
    monkeypatch.setenv("DATABASE_POOL_SIZE", "8")
    database = production()["DATABASES"]["default"]
    assert (database["OPTIONS"]["pool"]["max_size"], database["CONN_MAX_AGE"]) == (8, 0)


def test_the_event_bus_gets_the_tables_of_the_service(production):
    found = production(consumers="billing.events.consumed.CONSUMERS", state="billing.events.published.STATE")
    bus = found["EVENTBUS"]
    assert (bus["SERVICE"], bus["SCHEMAS"]) == ("billing", Path("/srv/schemas"))
    assert bus["SUPERSEDING"] == ["accounts"]
    assert (bus["CONSUMERS"], bus["STATE"]) == ("billing.events.consumed.CONSUMERS", "billing.events.published.STATE")
    assert "EVENTBUS" not in production(events=False)


def test_kafka_clients_are_told_of_tls(production, monkeypatch):
    monkeypatch.setenv("KAFKA_CLIENT_SETTINGS", '{"security.protocol": "ssl"}')
    assert production()["EVENTBUS"]["CLIENT_SETTINGS"] == {"security.protocol": "ssl"}


def test_auth_has_the_accounts_themselves_and_no_replica(production, monkeypatch):
    monkeypatch.delenv("OIDC_CLIENT_SECRET")
    found = production(name="auth", replica=False, extra_middleware=["axes.middleware.AxesMiddleware"])
    assert "chassis.replica" not in found["INSTALLED_APPS"]
    assert "AUTH_USER_MODEL" not in found
    assert "axes.middleware.AxesMiddleware" in found["MIDDLEWARE"]
    assert found["PUBLIC_URL"] == "https://auth.example"


def test_the_schedule_of_a_service_keeps_the_housekeeping(production):
    found = production(beat={"close": {"task": "billing.close", "schedule": 60.0}})
    assert set(found["CELERY_BEAT_SCHEDULE"]) == {"tidy", "prune inbox", "close"}


def test_an_env_file_beside_the_service_is_read_and_yields_to_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("CURRENCY", "EUR")
    monkeypatch.setenv("LOG_LEVEL", "unset later")
    monkeypatch.delenv("LOG_LEVEL")
    (tmp_path / ".env").write_text("CURRENCY=USD\nLOG_LEVEL=DEBUG\n")
    environment = Environment(tmp_path)
    assert (environment.text("CURRENCY"), environment.text("LOG_LEVEL")) == ("EUR", "DEBUG")


def test_templates_are_read_anew_in_the_demo_only(production, monkeypatch):
    kept = production()["TEMPLATES"][0]["OPTIONS"]["loaders"]
    monkeypatch.setenv("DEMO", "true")
    assert production()["TEMPLATES"][0]["OPTIONS"]["loaders"] == kept[0][1]


@pytest.mark.parametrize("value", ["short", "secret" * 10, "Demo-" + "x" * 40])
def test_production_refuses_a_short_or_demo_part_of_a_variable(production, tmp_path, value):
    with pytest.raises(ImproperlyConfigured, match="OIDC_CLIENTS"):
        Environment(tmp_path).checked_secret("OIDC_CLIENTS", value)


def test_a_value_can_come_from_a_file_that_the_environment_names(production, monkeypatch, tmp_path):
    secret, database = tmp_path / "SECRET_KEY", tmp_path / "DATABASE_URL"
    secret.write_text(STRONG[::-1])
    database.write_text("postgres://billing_app:mounted@db:5432/billing")
    monkeypatch.setenv("SECRET_KEY_FILE", str(secret))
    monkeypatch.setenv("DATABASE_URL_FILE", str(database))
    found = production()
    assert found["SECRET_KEY"] == STRONG[::-1]
    assert found["DATABASES"]["default"]["PASSWORD"] == "mounted"
