"""What the app role may do, tried as the app role."""

import psycopg
import pytest

APPEND_ONLY = ["billing_transfer", "billing_taskprice"]


@pytest.fixture
def app(app_dsn, db):
    with psycopg.connect(app_dsn, autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_app_cannot_rewrite_history(app, table, statement):
    column = {"billing_transfer": "amount", "billing_taskprice": "fee"}[table]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(statement.format(table, column, column))


@pytest.mark.parametrize("table", ["cycle", "ledgeraccount", "accountday", "payout"])
@pytest.mark.parametrize("statement", ["DELETE FROM billing_{}", "TRUNCATE billing_{} CASCADE"])
def test_the_app_cannot_forget_a_cycle_an_account_a_day_or_a_payout(app, table, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(statement.format(table))


@pytest.mark.parametrize("change", ["DISABLE TRIGGER USER", "DROP CONSTRAINT transfer_amount_above_zero"])
def test_the_app_cannot_switch_the_guards_off(app, change):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(f"ALTER TABLE billing_transfer {change}")


def test_the_app_can_read_and_lock_what_it_needs(app):
    for statement in (
        "SELECT * FROM billing_transfer",
        "SELECT * FROM billing_cycle FOR SHARE",
        "SELECT * FROM billing_ledgeraccount FOR UPDATE",
        "SELECT pg_advisory_xact_lock_shared(1)",
    ):
        app.execute(statement)
