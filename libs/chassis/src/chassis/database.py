"""The two database roles: connection options for the app, and grants made after each migration by the owner."""

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model
from psycopg import sql

FULL_PRIVILEGES = "SELECT, INSERT, UPDATE, DELETE"
_KNOWN_PRIVILEGES = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})


def connection_options(*, service: str, statement_timeout_ms: int, lock_timeout_ms: int) -> dict[str, Any]:
    """libpq options: a frozen process, a lost network or a slow statement must not stop the others."""
    timeouts = {
        "statement_timeout": statement_timeout_ms,
        "lock_timeout": lock_timeout_ms,
        "idle_in_transaction_session_timeout": 10_000,
    }
    return {
        "application_name": service,
        "connect_timeout": 3,
        "options": " ".join(f"-c {name}={value}" for name, value in timeouts.items()),
        "keepalives": 1,
        "keepalives_idle": 5,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
    }


def app_privileges(model: type[Model]) -> list[str]:
    """What the app role may do with the model's table: its `app_privileges` attribute, or everything."""
    text: str = getattr(model, "app_privileges", FULL_PRIVILEGES)
    privileges = [word.strip().upper() for word in text.split(",")]
    unknown = set(privileges) - _KNOWN_PRIVILEGES
    if unknown:
        raise ValueError(f"{model.__name__}.app_privileges: unknown {', '.join(sorted(unknown))}")
    return privileges


def _statements(tables: dict[str, list[str]], role: str) -> sql.Composed:
    grantee = sql.Identifier(role)
    parts: list[sql.Composable] = [sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(grantee)]
    for table, privileges in tables.items():
        name = sql.Identifier(table)
        parts.append(sql.SQL("REVOKE ALL ON TABLE {} FROM {}").format(name, grantee))
        granted = sql.SQL(", ").join(sql.SQL(privilege) for privilege in privileges)
        parts.append(sql.SQL("GRANT {} ON TABLE {} TO {}").format(granted, name, grantee))
    parts.append(sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(grantee))
    return sql.SQL("; ").join(parts)


def grant_app_role(app_config: AppConfig, using: str, **kwargs: Any) -> None:
    """post_migrate handler: gives the app role its rights on the app's tables, and takes any others away.

    Runs as the owner, after every `migrate`, so that a right changed by hand or in a model heals itself.
    A flush of a test database sends the same signal without a plan and changes no table: it is left out.
    """
    role: str = settings.DATABASE_APP_ROLE
    if not role or "plan" not in kwargs:
        return
    tables = {
        model._meta.db_table: app_privileges(model)
        for model in app_config.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    }
    if app_config.label == "chassis":
        # Read by /readyz.
        tables[MigrationRecorder.Migration._meta.db_table] = ["SELECT"]
    if not tables:
        return
    with connections[using].cursor() as cursor:
        present = set(connections[using].introspection.table_names(cursor))
        known = {name: privileges for name, privileges in tables.items() if name in present}
        cursor.execute(_statements(known, role).as_string(cursor.connection))
