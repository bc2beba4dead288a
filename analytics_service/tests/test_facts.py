"""What is read from events, and what of them is kept."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from analytics.domain import (
    ALLOWED_OF_ACCOUNTS,
    ContradictoryTransaction,
    Entry,
    ForeignCurrency,
    Income,
    Standing,
    TaskText,
    income_of,
    json_form,
    kept_for_ever,
    latest,
    read_entry,
    read_standing,
    read_task_text,
    unique_entries,
)

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
HEADINGS = json.loads((SCHEMAS / "tasks/headings.json").read_text("utf-8"))["lines"]
PERSONAL = {"email", "full_name", "position"}
ONE, TWO = UUID(int=1), UUID(int=2)


def entry(**changes: Any) -> Entry:
    fields = {
        "transfer_id": ONE,
        "account_id": ONE,
        "task_id": ONE,
        "kind": "earning",
        "amount": 2500,
        "currency": "USD",
        "occurred_at": datetime(2026, 3, 2, 11, tzinfo=UTC),
        "business_date": date(2026, 3, 2),
        "reverses": None,
    }
    return Entry(**fields | changes)


def example(path: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((SCHEMAS / path).read_text())["data"]
    return data


def test_times_are_kept_in_utc_to_the_microsecond_and_days_as_they_are():
    noon = datetime(2026, 3, 2, 12, 0, 0, 7, tzinfo=timezone(timedelta(hours=1)))

    assert json_form({"at": noon, "day": date(2026, 3, 2), "cents": 1500, "none": None}) == {
        "at": "2026-03-02T11:00:00.000007+00:00",
        "day": "2026-03-02",
        "cents": 1500,
        "none": None,
    }


def test_every_field_of_an_account_is_either_personal_or_allowed_to_be_kept():
    """A new field of an account event fails here until somebody decides."""
    schemas = [json.loads(path.read_text()) for path in SCHEMAS.glob("*/*/*.avsc")]
    own = [schema for schema in schemas if schema["producer"] == "auth"]
    fields = {field["name"] for schema in own for field in schema["fields"][-1]["type"]["fields"]}

    assert fields == ALLOWED_OF_ACCOUNTS | PERSONAL


def test_no_name_and_address_of_an_account_is_kept():
    data = example("accounts/account_updated/1.example.json")

    assert set(kept_for_ever(producer="auth", data=data)) == set(data) - PERSONAL


def test_of_other_events_everything_is_kept():
    data = {"email": "not an account's"}

    assert kept_for_ever(producer="tasks", data=data) == data


def test_an_entry_is_read_from_the_kept_form():
    data = example("billing/transaction_posted/1.example.json")

    assert read_entry(data, currency="USD") == Entry(
        transfer_id=UUID(data["transfer_id"]),
        account_id=UUID(data["account_id"]),
        task_id=UUID(data["task_id"]),
        kind="earning",
        amount=3200,
        currency="USD",
        occurred_at=datetime(2026, 3, 2, 11, tzinfo=UTC),
        business_date=date(2026, 3, 2),
        reverses=None,
    )


def test_another_currency_cannot_be_counted():
    with pytest.raises(ForeignCurrency, match="USD, where EUR"):
        read_entry(example("billing/transaction_posted/1.example.json"), currency="EUR")


@pytest.mark.parametrize(
    ("kind", "amount", "income"),
    [
        ("fee", -1500, Income(fees=1500)),
        ("earning", 2500, Income(earnings=2500)),
        ("reversal", -2500, Income(reversals=2500)),
        ("payout", -700, Income()),
        ("payout_return", 700, Income()),
        ("adjustment", -100, Income()),
        ("something new", 100, Income()),
    ],
)
def test_income_is_made_of_fees_earnings_and_reversals_only(kind: str, amount: int, income: Income):
    assert income_of(entry(kind=kind, amount=amount)) == income


def test_management_s_income_is_fees_minus_earnings_plus_reversals():
    assert (Income(fees=4500) + Income(earnings=5000) + Income(reversals=2500)).total == 2000


def test_a_transfer_that_comes_twice_is_one():
    assert unique_entries([entry(transfer_id=TWO), entry(), entry()]) == [entry(), entry(transfer_id=TWO)]


def test_a_transfer_with_two_contents_is_refused():
    with pytest.raises(ContradictoryTransaction):
        unique_entries([entry(), entry(amount=2600)])


def test_the_highest_version_wins_in_any_order():
    old, new = TaskText(ONE, 1, "old", None), TaskText(ONE, 2, "new", None)

    assert latest([old, new]) == latest([new, old]) == [new]


def test_a_deleted_account_has_no_role_any_more():
    data = example("accounts/account_deleted/1.example.json")

    assert read_standing(data) == Standing(UUID(data["account_id"]), 9, "", is_active=False)


def test_an_account_s_standing_is_in_each_other_event_of_it():
    data = example("accounts/account_role_changed/1.example.json")

    assert read_standing(data) == Standing(UUID(data["account_id"]), 4, "manager", is_active=True)


@pytest.mark.parametrize("path", ["tasks/task_created/1", "tasks/task_created/2", "tasks/task_updated/1"])
def test_all_versions_call_the_task_the_same(path: str):
    data = example(f"{path}.example.json")

    text = read_task_text(data)

    assert (text.title, text.jira_id, text.version) == ("Wash the cage", "POPUG-42", data["version"])


@pytest.mark.parametrize(("description", "jira_id", "title"), HEADINGS)
def test_a_description_of_version_1_is_read_by_the_rule_or_becomes_the_title(
    description: str, jira_id: str | None, title: str | None
):
    text = read_task_text(example("tasks/task_created/1.example.json") | {"description": description})

    assert (text.title, text.jira_id) == (description if title is None else title, jira_id)
