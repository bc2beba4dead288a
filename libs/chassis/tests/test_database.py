"""The two roles of a database."""

import os
import time

import psycopg
import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import OperationalError, connection
from django.db.backends.postgresql.base import DatabaseWrapper
from sample.models import Sample, SampleHistory

from chassis.database import app_privileges, grant_app_role
from chassis.models import FormKey
from chassis.settings import Environment
from chassis.settings.parts import database_settings
from dev.paths import LOCAL
from dev.servers import Servers


@pytest.fixture
def app(app_dsn):
    """A connection as the app role, whose changes are taken back."""
    with psycopg.connect(app_dsn) as opened:
        yield opened
        opened.rollback()


def test_the_app_adds_to_an_append_only_table_and_reads_it(app):
    app.execute("INSERT INTO sample_samplehistory (text) VALUES ('x')")
    assert app.execute("SELECT text FROM sample_samplehistory").fetchall() == [("x",)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sample_samplehistory SET text = ''",
        "DELETE FROM sample_samplehistory",
        "TRUNCATE sample_samplehistory",
        "ALTER TABLE sample_samplehistory DISABLE TRIGGER ALL",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('a', 'b', now())",
        "CREATE TABLE mine (id int)",
    ],
)
def test_the_app_changes_no_history_and_no_structure(app, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(statement)


def test_the_app_changes_all_other_tables(app):
    app.execute("INSERT INTO sample_sample (title, cents, made_at) VALUES ('x', 1, now())")
    app.execute("UPDATE sample_sample SET cents = 2")
    app.execute("DELETE FROM sample_sample")
    assert app.execute("SELECT count(*) FROM django_migrations").fetchone()[0] > 0


def rights(table):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT privilege_type FROM information_schema.role_table_grants WHERE grantee = %s AND table_name = %s",
            ["chassis_app", table],
        )
        return {row[0] for row in cursor.fetchall()}


@pytest.mark.django_db
def test_a_right_changed_by_hand_is_taken_back_by_the_next_migrate():
    with connection.cursor() as cursor:
        cursor.execute("GRANT UPDATE ON sample_samplehistory TO chassis_app")
        cursor.execute("REVOKE DELETE ON sample_sample FROM chassis_app")
    grant_app_role(apps.get_app_config("sample"), using="default", plan=[])
    assert rights("sample_samplehistory") == {"SELECT", "INSERT"}
    assert rights("sample_sample") == {"SELECT", "INSERT", "UPDATE", "DELETE"}


@pytest.mark.django_db
def test_a_database_without_an_app_role_grants_nothing(settings, django_assert_num_queries):
    settings.DATABASE_APP_ROLE = ""
    with django_assert_num_queries(0):
        grant_app_role(apps.get_app_config("sample"), using="default", plan=[])


@pytest.mark.django_db
def test_a_flush_and_an_app_without_tables_grant_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        grant_app_role(apps.get_app_config("sample"), using="default")
        grant_app_role(apps.get_app_config("staticfiles"), using="default", plan=[])


def test_privileges_are_an_attribute_of_the_model(monkeypatch):
    assert app_privileges(SampleHistory) == ["SELECT", "INSERT"]
    assert app_privileges(Sample) == app_privileges(ContentType) == ["SELECT", "INSERT", "UPDATE", "DELETE"]
    monkeypatch.setattr(SampleHistory, "app_privileges", "SELECT, DROP")
    with pytest.raises(ValueError, match=r"SampleHistory.app_privileges: unknown DROP"):
        app_privileges(SampleHistory)


@pytest.mark.django_db
def test_a_slow_or_frozen_statement_is_cut_off_by_the_database():
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "application_name")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(f'current_setting({name!r})' for name in names)}")
        assert cursor.fetchone() == ("30s", "10s", "10s", "tasks")


def test_a_lost_network_is_noticed_by_keepalives():
    options = connection.settings_dict["OPTIONS"]
    found = [options[f"keepalives{name}"] for name in ("", "_idle", "_interval", "_count")]
    assert (found, options["tcp_user_timeout"]) == ([1, 5, 5, 3], 15_000)


@pytest.mark.django_db(transaction=True)
def test_a_pool_replaces_connections_that_a_restart_of_the_database_cut():
    settings = {**connection.settings_dict, "CONN_MAX_AGE": 0}
    settings["OPTIONS"] = settings["OPTIONS"] | {"pool": {"min_size": 1, "max_size": 1, "timeout": 5}}
    pooled = DatabaseWrapper(settings, alias="pooled")
    try:
        with pooled.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (first,) = cursor.fetchone()
        pooled.close()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
        with pooled.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            assert cursor.fetchone() != (first,)
        pooled.close()
    finally:
        pooled.close_pool()


@pytest.fixture
def postgres():
    """A Postgres of our own, to be stopped."""
    private = Servers(LOCAL / f"pytest-{os.getpid()}-postgres", durable=False)
    try:
        private.start("postgres")
        yield private.postgres
    finally:
        private.destroy()


@pytest.mark.django_db(transaction=True)
def test_pages_are_answered_at_once_when_the_database_is_back(postgres, monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", postgres.url("tasks"))
    monkeypatch.setenv("DATABASE_POOL_SIZE", "8")
    settings = database_settings(Environment(tmp_path), "tasks")["DATABASES"]["default"]
    pooled = DatabaseWrapper({**connection.settings_dict, **settings}, alias="pooled")

    def ask() -> None:
        try:
            with pooled.cursor() as cursor:
                cursor.execute("SELECT 1")
        finally:
            pooled.close()

    try:
        ask()
        postgres.stop()
        back = time.monotonic() + 9.5
        with pytest.raises(OperationalError):
            ask()
        time.sleep(max(0, back - time.monotonic()))
        postgres.start()
        asked = time.monotonic()
        ask()
        assert time.monotonic() - asked < 2
    finally:
        pooled.close_pool()


def test_rows_call_themselves_by_what_they_are():
    assert str(FormKey(kind="sample", key="7")) == "sample 7"
