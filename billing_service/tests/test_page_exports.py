"""Every export holds all rows of its page's filter, for whoever may see the page (design)."""

import csv
import io
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from openpyxl import load_workbook

from billing.models import Cycle, Payout
from billing.services.adjustments import adjustment_post
from chassis.business_time import format_when
from chassis.replica.models import Account
from dev.language import speaking
from eventbus.testing import deliver
from tests.exports import REASON, TASK, as_csv, as_xlsx, with_format
from tests.make import BORIS, BOSS, MONDAY, WILMA, assigned, task_id
from tests.pages import page, rows, text

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]  # traced, it takes twice as long
EXPORTS = (
    "/days/export", "/days/2026-03-02/export", "/workers/export", f"/workers/{WILMA}/export", "/cycles/export",
    "/corrections/export", f"/tasks/{TASK}/export",
)  # fmt: skip


def mail_of(client, cycle):
    [[_worker, mail, _amount]] = rows(page(client, f"/cycles/{cycle.id}").select_one("#payouts"))
    return mail


def test_payouts_of_a_cycle_are_exported_with_their_mails(auditor):
    cycle = Cycle.objects.get(state="closed")
    [shown] = rows(page(auditor, f"/cycles/{cycle.id}").select_one("#payouts"))
    [line] = as_csv(auditor, f"/cycles/{cycle.id}/export")
    assert shown == [line["Worker"], "to be sent", f"${line['Amount']}"]
    assert (line["Mail sent at"], line["Mail failed"], line["Mail attempts"]) == ("", "", "0")
    Payout.objects.update(last_error="OSError: away", attempts=2)
    [line] = as_csv(auditor, f"/cycles/{cycle.id}/export")
    again = format_when(datetime.fromisoformat(line["Mail next attempt at"]))
    told = f"{line['Mail failed']} · {line['Mail attempts']} attempts, next {again}"
    assert mail_of(auditor, cycle) == f"not sent yet {told}"
    Payout.objects.update(last_error="", done_at=MONDAY, sent_to="wilma@popug.example")
    [line] = as_csv(auditor, f"/cycles/{cycle.id}/export")
    assert mail_of(auditor, cycle) == f"sent {format_when(datetime.fromisoformat(line['Mail sent at']))}"
    assert (line["Mail sent to"], line["Mail next attempt at"]) == ("wilma@popug.example", "")
    about, [same] = as_xlsx(auditor, f"/cycles/{cycle.id}/export")
    assert about["Payouts"] == 1
    assert same["Worker"] == shown[0]


def test_an_export_has_all_rows_and_not_a_page_of_them(auditor):
    deliver("tasks", [assigned(task_id(8), no=number) for number in range(1, 121)])
    found = as_csv(auditor, f"/workers/{WILMA}/export")
    assert len(found) == 126
    assert found[0]["What"] == "Fee"
    oldest = as_csv(auditor, f"/workers/{WILMA}/export?sort=posted")
    assert [row["Entry id"] for row in oldest] == [row["Entry id"] for row in found][::-1]


def test_an_export_keeps_the_filter_of_its_page(auditor):
    day = as_csv(auditor, f"/workers/{WILMA}/export?day=2026-03-02")
    assert {row["Business date"] for row in day} == {"2026-03-02"}
    link = page(auditor, f"/workers/{WILMA}?day=2026-03-02").select_one(".menu-item[href*=export]")["href"]
    assert link == f"/workers/{WILMA}/export?day=2026-03-02&format=csv"
    assert as_csv(auditor, "/workers/export?show=left") == []
    assert as_csv(auditor, f"/corrections/export?worker={BORIS}") == []


def test_an_export_of_who_left_and_of_one_workers_corrections_has_the_rows_of_its_page(auditor):
    Account.objects.filter(id=BORIS).update(is_active=False)
    adjustment_post(
        form_key=uuid4(), amount=300, credit=False, about=None, task_id=None, account_id=BORIS,
        actor_id=auditor.account.id, now=MONDAY, reason="The second broken feeder.",
    )  # fmt: skip
    [left] = as_csv(auditor, "/workers/export?show=left")
    [[name, *_]] = rows(page(auditor, "/workers?show=left"))
    assert (left["Worker"], left["Worker"] in name) == ("Boris Bauer", True)
    assert len(as_csv(auditor, "/workers/export")) > 1
    [correction] = as_csv(auditor, f"/corrections/export?worker={BORIS}")
    assert (correction["Reason"], correction["Amount"]) == ("The second broken feeder.", "-3.00")
    assert "The second broken feeder." in text(page(auditor, f"/corrections?worker={BORIS}").tbody)
    assert len(as_csv(auditor, "/corrections/export")) == 2


def test_what_an_export_is_called_is_said_in_the_language_of_the_page(auditor, tmp_path, settings):
    cycle = Cycle.objects.get(state="closed")
    names = {
        "/days/export": ("Management's income day by day", "Einkommen"),
        "/days/2026-03-02/export": ("Workers on %(day)s", "Leute am %(day)s"),
        "/workers/export": ("Workers", "Leute"),
        "/workers/export?show=left": ("Left with a balance", "Gegangen"),
        f"/workers/{WILMA}/export": ("Statement of %(name)s", "Auszug von %(name)s"),
        "/cycles/export": ("Billing cycles", "Zyklen"),
        f"/cycles/{cycle.id}/export": ("Payouts of the cycle due %(name)s", "Zahlungen von %(name)s"),
        "/corrections/export": ("Corrections", "Berichtigungen"),
        f"/tasks/{TASK}/export": ("Entries of a task", "Posten"),
    }
    with speaking(dict(names.values()), folder=tmp_path, settings=settings):
        for address, (_name, said) in names.items():
            about, _ = as_xlsx(auditor, address)
            assert about["Export"].startswith(said.partition("%")[0]), address


def test_times_are_iso_and_text_is_no_formula(auditor):
    [line] = as_csv(auditor, "/corrections/export")
    assert line["Reason"] == f"'{REASON}"
    assert line["When"][10] == "T"
    statement = as_csv(auditor, f"/workers/{WILMA}/export?day=2026-03-02")
    assert statement[-1]["When"] == "2026-03-02T10:00:00+01:00"


def test_the_first_sheet_says_what_the_export_is(auditor):
    about, _ = as_xlsx(auditor, f"/workers/{WILMA}/export?day=2026-03-02")
    assert about["Export"] == "Statement of Wilma Weber"
    assert about["Filters"] == "2026-03-02"
    assert about["Time zone"] == "Europe/Berlin"
    assert about["Made by"] == "Some finance"
    assert "Balance" in about


def totals(client, address):
    """The totals on the first sheet: number, format and currency."""
    response = client.get(with_format(address, "xlsx"))
    sheet = load_workbook(io.BytesIO(b"".join(response.streaming_content)))["About"]
    return {row[0].value: (row[1].value, row[1].number_format, *(cell.value for cell in row[2:])) for row in sheet}


def test_totals_are_numbers_with_two_decimals_and_their_currency(auditor):
    money = ("#,##0.00", "USD")
    shown = {
        text(fact.p): Decimal(text(fact.select_one(".fact-value")).replace("$", ""))
        for fact in page(auditor, "/totals").select(".fact")
    }
    workers = totals(auditor, "/workers/export")
    assert workers["Debts"] == (shown["Workers' debts"], *money)
    assert workers["Owed to workers"] == (shown["Owed to workers"], *money)
    assert workers["Debts"][0] < 0 < workers["Owed to workers"][0]
    cycle = Cycle.objects.get(state="closed")
    for address, name in (
        (f"/workers/{WILMA}/export", "Balance"), ("/days/export", "Income"), ("/days/2026-03-02/export", "Income"),
        (f"/cycles/{cycle.id}/export", "Paid out"), ("/cycles/export", "Paid out"), ("/corrections/export", "Amount"),
        (f"/tasks/{TASK}/export", "Rewards"),
    ):  # fmt: skip
        value, *rest = totals(auditor, address)[name]
        assert (type(value), tuple(rest)) in {(int, money), (float, money)}, address


@pytest.mark.parametrize("address", EXPORTS)
def test_no_two_columns_of_an_export_are_called_the_same(auditor, address):
    response = auditor.get(with_format(address, "csv"))
    head = next(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))
    assert len(head) == len(set(head))
    assert head.count("Currency") == 1


def test_an_export_is_logged(auditor, caplog):
    as_csv(auditor, "/workers/export")
    logged = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    [line] = [line for line in logged if line.get("event") == "export"]
    assert line["path"] == "/workers/export"
    assert line["account_id"] == str(auditor.account.id)


@pytest.mark.parametrize("address", EXPORTS)
@pytest.mark.parametrize("role", ["manager", "worker"])
def test_an_export_needs_the_right_of_its_page(browser, worked, role, address):
    assert browser(role).get(address).status_code == 403


@pytest.mark.parametrize("address", EXPORTS)
def test_an_unknown_filter_order_or_format_is_an_error(browser, worked, address):
    client = browser("finance")
    for wrong in ("format=pdf", "colour=red", "format=csv&sort=colour"):
        if "sort" in wrong and address == "/days/export":
            continue
        assert client.get(f"{address}?{wrong}").status_code == 400, wrong


def test_everybody_exports_the_own_statement(browser, worked):
    client = browser("worker")
    assert as_csv(client, "/statement/export") == []
    deliver("tasks", [assigned(account=client.account.id, time=MONDAY + timedelta(hours=5), actor=BOSS, no=3)])
    [line] = as_csv(client, "/statement/export")
    assert line["Cause"] == "assigned at creation by M. Braun, 15:00"
