"""Every export opened again says what its page says: all rows of the filter, for whoever may see the page (design)."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from openpyxl import load_workbook

from billing.models import Cycle
from billing.selectors.clock import database_now
from billing.services.adjustments import adjustment_post
from eventbus.testing import deliver
from tests.ledger import close
from tests.make import BORIS, BOSS, MONDAY, WILMA, assigned, completed, task_id
from tests.pages import page, rows, text

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]  # traced, it takes twice as long
TASK = task_id()
REASON = "=1+1 is what the cage cost."


@pytest.fixture
def finance(browser, worked):
    """Someone who looks at a month with a closed cycle, a late event, a debt and a correction."""
    client = browser("finance")
    given = {"account_id": WILMA, "actor_id": client.account.id, "now": MONDAY, "reason": REASON}
    adjustment_post(form_key=uuid4(), amount=1250, credit=True, about=None, task_id=TASK, **given)
    close()
    now = database_now()
    deliver("tasks", [completed(no=2), assigned(task_id(3), time=now), assigned(task_id(4), account=BORIS, time=now)])
    return client


def with_format(address, name):
    return f"{address}{'&' if '?' in address else '?'}format={name}"


def as_csv(client, address):
    response = client.get(with_format(address, "csv"))
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    content = b"".join(response.streaming_content)
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def as_xlsx(client, address):
    response = client.get(with_format(address, "xlsx"))
    book = load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    head, *body = book["Rows"].iter_rows(values_only=True)
    about = {row[0]: row[1] for row in book["About"].iter_rows(values_only=True)}
    return about, [dict(zip(head, row, strict=True)) for row in body]


def cents(shown):
    """An amount as a page shows it."""
    return Decimal(
        shown.replace("$", "").replace(",", "").replace("+", "") if shown not in ("", "\N{EN DASH}") else "0"
    )


# page -> export, the page's table, and which of its columns is which of the export.
SAME = {
    f"/workers/{WILMA}": (f"/workers/{WILMA}/export", "table.list", {"Amount": 3, "Balance after": 4}),
    "/workers": ("/workers/export", "table.list", {"Worker": 0, "Earned today": 2, "Open cycle": 3, "Balance": 4}),
    "/days/2026-03-02": (
        "/days/2026-03-02/export", "#workers",
        {"Worker": 0, "Fees": 1, "Rewards": 2, "Reversed": 3, "Earned": 4, "Corrections": 5},
    ),
    "/": (
        "/days/export", "table.list",
        {"Fees": 1, "Rewards": 2, "Reversed": 3, "Income": 4, "After closing": 5, "Corrections": 6},
    ),
    "/corrections": ("/corrections/export", "table.list", {"Worker": 1, "By": 3, "Amount": 4}),
    f"/tasks/{TASK}": (f"/tasks/{TASK}/export", "#entries", {"Worker": 1, "Amount": 5}),
    "/cycles": ("/cycles/export", "table.list", {"Paid out": 4}),
}  # fmt: skip


@pytest.mark.parametrize("address", SAME)
def test_the_export_says_what_the_page_says(finance, address):
    export, table, columns = SAME[address]
    shown = rows(page(finance, address).select_one(table))
    _, body = as_xlsx(finance, export)
    found = as_csv(finance, export)
    assert len(found) == len(body) == len(shown) > 0
    for line, from_csv, from_xlsx in zip(shown, found, body, strict=True):
        for name, place in columns.items():
            if name in ("Worker", "By"):
                assert from_csv[name] == from_xlsx[name] == line[place]
                continue
            assert Decimal(from_csv[name]) == cents(line[place])
            assert Decimal(str(from_xlsx[name])).quantize(Decimal("0.01")) == cents(line[place])
            assert from_csv["Currency"] == "USD"


def test_payouts_of_a_cycle_are_exported_with_their_mails(finance):
    cycle = Cycle.objects.get(state="closed")
    [shown] = rows(page(finance, f"/cycles/{cycle.id}").select_one("#payouts"))
    [line] = as_csv(finance, f"/cycles/{cycle.id}/export")
    assert (line["Worker"], Decimal(line["Amount"]), line["Mail sent at"]) == (shown[0], cents(shown[2]), "")
    about, [same] = as_xlsx(finance, f"/cycles/{cycle.id}/export")
    assert about["Payouts"] == 1
    assert same["Worker"] == shown[0]


def test_an_export_has_all_rows_and_not_a_page_of_them(finance):
    deliver("tasks", [assigned(task_id(8), no=number) for number in range(1, 121)])
    found = as_csv(finance, f"/workers/{WILMA}/export")
    assert len(found) == 126
    assert found[0]["What"] == "Fee"
    oldest = as_csv(finance, f"/workers/{WILMA}/export?sort=posted")
    assert [row["Entry id"] for row in oldest] == [row["Entry id"] for row in found][::-1]


def test_an_export_keeps_the_filter_of_its_page(finance):
    day = as_csv(finance, f"/workers/{WILMA}/export?day=2026-03-02")
    assert {row["Business date"] for row in day} == {"2026-03-02"}
    link = page(finance, f"/workers/{WILMA}?day=2026-03-02").select_one(".menu-item[href*=export]")["href"]
    assert link == f"/workers/{WILMA}/export?day=2026-03-02&format=csv"
    assert as_csv(finance, "/workers/export?show=left") == []
    assert as_csv(finance, f"/corrections/export?worker={BORIS}") == []


def test_times_are_iso_and_text_is_no_formula(finance):
    [line] = as_csv(finance, "/corrections/export")
    assert line["Reason"] == f"'{REASON}"
    assert line["When"][10] == "T"
    statement = as_csv(finance, f"/workers/{WILMA}/export?day=2026-03-02")
    assert statement[-1]["When"] == "2026-03-02T10:00:00+01:00"


def test_the_first_sheet_says_what_the_export_is(finance):
    about, _ = as_xlsx(finance, f"/workers/{WILMA}/export?day=2026-03-02")
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


def test_totals_are_numbers_with_two_decimals_and_their_currency(finance):
    money = ("#,##0.00", "USD")
    shown = {
        text(fact.p): cents(text(fact.select_one(".fact-value"))) for fact in page(finance, "/totals").select(".fact")
    }
    workers = totals(finance, "/workers/export")
    assert workers["Debts"] == (shown["Workers' debts"], *money)
    assert workers["Owed to workers"] == (shown["Owed to workers"], *money)
    assert workers["Debts"][0] < 0 < workers["Owed to workers"][0]
    cycle = Cycle.objects.get(state="closed")
    for address, name in (
        (f"/workers/{WILMA}/export", "Balance"), ("/days/export", "Income"), ("/days/2026-03-02/export", "Income"),
        (f"/cycles/{cycle.id}/export", "Paid out"),
    ):  # fmt: skip
        value, *rest = totals(finance, address)[name]
        assert (type(value), tuple(rest)) in {(int, money), (float, money)}, address


@pytest.mark.parametrize("address", [*(export for export, _, _ in SAME.values())])
def test_no_two_columns_of_an_export_are_called_the_same(finance, address):
    response = finance.get(with_format(address, "csv"))
    head = next(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))
    assert len(head) == len(set(head))
    assert head.count("Currency") == 1


def test_an_export_is_logged(finance, caplog):
    as_csv(finance, "/workers/export")
    logged = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    [line] = [line for line in logged if line.get("event") == "export"]
    assert line["export"] == "Workers"
    assert line["account_id"] == str(finance.account.id)


EXPORTS = (
    "/days/export", "/days/2026-03-02/export", "/workers/export", f"/workers/{WILMA}/export", "/cycles/export",
    "/corrections/export", f"/tasks/{TASK}/export",
)  # fmt: skip


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
