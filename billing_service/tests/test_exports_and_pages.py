"""Every export opened again says what its page says, in each of its cells (design)."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from bs4 import BeautifulSoup
from django.utils.formats import date_format

from billing.models import Cycle
from billing.selectors.clock import database_now
from billing.services.adjustments import adjustment_reverse
from billing.templatetags import billing
from chassis.business_time import format_when
from chassis.money import format_cents
from chassis.replica.models import Account
from eventbus.testing import deliver
from tests.exports import TASK, as_csv, as_xlsx
from tests.make import BORIS, MONDAY, WILMA, completed, open_cycle, task_id
from tests.pages import page, rows, text

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]  # traced, it takes twice as long
DASH = "\N{EN DASH}"


def when(iso):
    """A time as a page shows it."""
    return format_when(datetime.fromisoformat(iso)) if iso else ""


def money(amount, *, plus=False):
    """An amount of an export as a page shows it."""
    return format_cents(int(Decimal(amount) * 100), plus=plus)


def credit(amount):
    return money(amount, plus=True)


def or_dash(amount, shown=money):
    """An amount that a page shows as a dash where it is nothing."""
    return shown(amount) if amount and Decimal(amount) else DASH


def late(row):
    return " late" if row["Late"] == "yes" else ""


def words(*texts):
    return " ".join(text for text in texts if text)


def named(row):
    """A task as pages name it."""
    return " · ".join(filter(None, (row.get("Jira id"), row["Task"])))


def reason(row):
    return row["Reason"].removeprefix("'")


def person(row):
    if row["Active"] == "yes":
        return row["Role"] or "not known yet"
    return "deleted" if row["Deleted"] == "yes" else "deactivated"


def weekday(iso):
    return date_format(date.fromisoformat(iso), "D j M Y")


def short_when(iso):
    return text(BeautifulSoup(billing.short_when(datetime.fromisoformat(iso)), "html.parser"))


def about_opposite(row):
    return "taken back" if row["Taken back by"] else "takes another back" if row["Takes back"] else ""


def settled(row):
    return f"in {money(row['Paid out'])}" if row["Paid out"] else row["Settlement"] or DASH


# page -> export, the page's table, and what each of its cells shows of a row of the export.
SAME = {
    f"/workers/{WILMA}": (f"/workers/{WILMA}/export", "table.list", (
        lambda row: when(row["When"]) + late(row), lambda row: row["What"],
        lambda row: words(named(row), reason(row), row["Cause"]),
        lambda row: credit(row["Amount"]), lambda row: money(row["Balance after"]),
    )),
    "/workers": ("/workers/export", "table.list", (
        lambda row: row["Worker"], person, lambda row: credit(row["Earned today"]),
        lambda row: credit(row["Open cycle"]), lambda row: money(row["Balance"]),
    )),
    "/days/2026-03-02": ("/days/2026-03-02/export", "#workers", (
        lambda row: row["Worker"], lambda row: or_dash(row["Fees"]), lambda row: or_dash(row["Rewards"]),
        lambda row: or_dash(row["Reversed"]), lambda row: credit(row["Earned"]),
        lambda row: or_dash(row["Corrections"]), lambda row: row["Entries"],
    )),
    "/": ("/days/export", "table.list", (
        lambda row: weekday(row["Day"]), lambda row: or_dash(row["Fees"]), lambda row: or_dash(row["Rewards"]),
        lambda row: or_dash(row["Reversed"]), lambda row: or_dash(row["Income"]),
        lambda row: or_dash(row["After closing"]), lambda row: or_dash(row["Corrections"], credit),
    )),
    "/corrections": ("/corrections/export", "table.list", (
        lambda row: when(row["When"]), lambda row: row["Worker"],
        lambda row: words(reason(row), named(row), about_opposite(row)),
        lambda row: row["By"], lambda row: credit(row["Amount"]),
    )),
    f"/tasks/{TASK}": (f"/tasks/{TASK}/export", "#entries", (
        lambda row: when(row["Recorded at"]) + late(row), lambda row: row["Worker"],
        lambda row: words(row["What"], reason(row), row["Cause"]), lambda row: short_when(row["Cycle due"]),
        settled, lambda row: credit(row["Amount"]),
    )),
    "/cycles": ("/cycles/export", "table.list", (
        lambda row: when(row["Due"]), lambda row: row["State"], lambda row: when(row["Closed"]),
        lambda row: row["Payouts"] or DASH, lambda row: money(row["Paid out"]) if row["Paid out"] else DASH,
    )),
}  # fmt: skip


def compare(client, address):
    """Each cell of the page against the export's row; returns the rows of the export."""
    export, table, cells = SAME[address]
    shown = rows(page(client, address).select_one(table))
    found = as_csv(client, export)
    assert [[cell(row) for cell in cells] for row in found] == shown
    assert len(found) == len(as_xlsx(client, export)[1]) > 0
    assert {row["Currency"] for row in found} == {"USD"}
    return found


@pytest.mark.parametrize("address", SAME)
def test_the_export_says_what_the_page_says(auditor, address):
    compare(auditor, address)


@pytest.mark.parametrize("address", SAME)
def test_a_workbook_has_the_values_of_the_csv(auditor, address):
    export, _, _ = SAME[address]
    for from_csv, from_xlsx in zip(as_csv(auditor, export), as_xlsx(auditor, export)[1], strict=True):
        assert {name: as_text(value, from_csv[name]) for name, value in from_xlsx.items()} == from_csv


def as_text(value, iso):
    """A value of a workbook as the CSV has it; times have no zone there, and a date is one at midnight."""
    if isinstance(value, datetime):
        return iso if iso.startswith(value.isoformat(timespec="seconds")[: len(iso)]) else value
    if isinstance(value, bool):
        return "yes" if value else "no"
    is_amount = isinstance(value, int | float) and "." in iso
    return f"{value:.2f}" if is_amount else "" if value is None else str(value)


def test_the_export_of_cycles_has_the_states_of_the_page(auditor):
    """Of a cycle that is being closed and has paid one of two, which then fails."""
    for number in (2, 3):
        deliver("tasks", [completed(task_id(number), account=BORIS, no=number, time=database_now())])
    due = Cycle.objects.get(state="open")
    Cycle.objects.filter(id=due.id).update(state="closing")
    open_cycle(database_now().replace(second=0, microsecond=0) + timedelta(days=1))
    assert [row["State"] for row in compare(auditor, "/cycles")] == ["open", "closing, 0 of 2", "closed"]
    Cycle.objects.filter(id=due.id).update(failure="=OperationalError: no room", payout_count=1, payout_sum=300)
    failed = compare(auditor, "/cycles")[1]
    assert failed["State"] == "failed, is tried again"
    assert failed["Failure"] == "'=OperationalError: no room"
    assert (failed["Payouts"], failed["Paid out"]) == ("", "")


def test_the_export_of_cycles_says_that_one_is_due(auditor):
    Cycle.objects.filter(state="open").update(due_at=MONDAY + timedelta(days=30))
    assert compare(auditor, "/cycles")[0]["State"] == "due"


def test_a_correction_that_was_taken_back_says_so_in_its_export(auditor):
    [wrong] = as_csv(auditor, "/corrections/export")
    given = {"actor_id": auditor.account.id, "now": database_now(), "reason": "It was the wrong cage."}
    opposite = adjustment_reverse(form_key=uuid4(), transfer_id=UUID(wrong["Entry id"]), **given)
    newest, oldest = compare(auditor, "/corrections")
    assert (newest["Takes back"], newest["Taken back by"]) == (wrong["Entry id"], "")
    assert (oldest["Takes back"], oldest["Taken back by"]) == ("", str(opposite))


def test_who_left_or_is_not_known_says_so_in_the_export_of_workers(auditor):
    for state in ({"is_active": False}, {"is_active": False, "is_deleted": True}, {"is_active": True, "role": ""}):
        Account.objects.filter(id=BORIS).update(**{"is_deleted": False} | state)
        assert len(compare(auditor, "/workers")) == 2


def test_what_became_of_an_entrys_money_is_told_apart_in_its_export(auditor):
    """Paid out, not yet, and carried over: Boris has a debt."""
    states = {row["Settlement"] for row in compare(auditor, f"/tasks/{TASK}")}
    assert states == {"paid out", "not yet"}
    assert {row["Settlement"] for row in as_csv(auditor, f"/tasks/{task_id(2)}/export")} == {"carried over"}
