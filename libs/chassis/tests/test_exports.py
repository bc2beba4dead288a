"""Exports hold all rows, are read by other programs, and run nothing in a spreadsheet."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from chassis import exports
from chassis.exports import Amount, Column, TooManyRows, csv_chunks, xlsx_file
from dev.language import speaking

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def of(*values):
    return [Column(f"c{place}", lambda row, place=place: row[place]) for place, _ in enumerate(values)], [values]


def workbook(columns, rows, about=()):
    with xlsx_file(columns, rows, about) as file:
        return load_workbook(io.BytesIO(file.read()))


def csv_rows(columns, rows):
    return list(csv.reader(io.StringIO(b"".join(csv_chunks(columns, rows)).decode("utf-8-sig"), newline="")))


def test_csv_has_a_bom_iso_times_and_plain_numbers():
    columns, rows = of("Käfig, groß", 7, Decimal("1.5"), True, False, None, NOON, date(2026, 3, 2))
    assert b"".join(csv_chunks(columns, rows)).startswith(b"\xef\xbb\xbf")
    expected = ["Käfig, groß", "7", "1.50", "yes", "no", "", "2026-03-02T13:00:00+01:00", "2026-03-02"]
    assert csv_rows(columns, rows)[1] == expected


def test_an_amount_has_its_currency_in_a_column_of_its_own():
    columns = [Column("Amount", lambda row: row, cents=True)]
    assert csv_rows(columns, [-1234, None]) == [["Amount", "Currency"], ["-12.34", "USD"], ["", "USD"]]


MONEY = [
    Column("Task", lambda row: row[0]),
    Column("Amount", lambda row: row[1], cents=True),
    Column("Balance", lambda row: row[2], cents=True),
    Column("Why", lambda row: row[3]),
]


def test_several_amounts_share_one_column_of_the_currency():
    found = csv_rows(MONEY, [("Wash", -1250, None, "late")])
    assert found == [["Task", "Amount", "Balance", "Currency", "Why"], ["Wash", "-12.50", "", "USD", "late"]]
    sheet = workbook(MONEY, [("Wash", -1250, None, "late")])["Rows"]
    assert list(sheet.values) == [tuple(found[0]), ("Wash", -12.5, None, "USD", "late")]


def test_money_in_a_spreadsheet_is_a_number_with_two_decimals_also_among_the_totals():
    book = workbook(MONEY, [("Wash", -1250, 100_000, "")], [("Debts", Amount(-107_200)), ("Tasks", 3)])
    assert [cell.number_format for cell in book["Rows"][2]] == ["General", "#,##0.00", "#,##0.00", "General", "General"]
    debts, currency = book["About"]["B1"], book["About"]["C1"]
    assert (debts.value, debts.data_type, debts.number_format, currency.value) == (-1072, "n", "#,##0.00", "USD")
    assert book["About"]["B2"].value == 3


def test_the_columns_of_a_spreadsheet_are_wide_enough_for_what_is_in_them():
    sheet = workbook(MONEY, [("Wash", -123_456_789, 1, "")], [("Debts", Amount(1))])["Rows"]
    assert {sheet.column_dimensions[letter].width for letter in "ABCDE"} == {22}


@pytest.mark.parametrize("formula", ["=cmd()", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_text_that_looks_like_a_formula_stays_text(formula):
    columns, rows = of(formula)
    assert csv_rows(columns, rows)[1] == [f"'{formula}"]
    sheet = workbook(columns, rows)["Rows"]
    assert sheet["A2"].data_type == "s"
    assert sheet["A2"].value.startswith("'")


def test_csv_is_made_as_it_is_read():
    taken = []

    def rows():
        for number in range(1200):
            taken.append(number)
            yield (number,)

    chunks = csv_chunks(of(0)[0], rows())
    assert next(chunks) == b"\xef\xbb\xbfc0\r\n"
    assert not taken, "the heading waits for no row"
    next(chunks)
    assert len(taken) == 500


def test_xlsx_has_numbers_dates_and_a_first_sheet_that_says_what_it_is():
    columns, rows = of("a\x00b", 7, Decimal("1.5"), None, NOON, date(2026, 3, 2))
    book = workbook(columns, rows, [("Filters", "status: open"), ("Rows", 1)])
    assert book.sheetnames == ["About", "Rows"]
    assert list(book["About"].values) == [("Filters", "status: open"), ("Rows", 1)]
    values = list(book["Rows"].values)[1]
    assert values == ("ab", 7, 1.5, None, datetime(2026, 3, 2, 13, 0), datetime(2026, 3, 2))  # noqa: DTZ001


def test_xlsx_has_a_limit(monkeypatch):
    monkeypatch.setattr(exports, "XLSX_ROWS", 2)
    columns, _ = of(0)
    with pytest.raises(TooManyRows):
        xlsx_file(columns, [(1,), (2,), (3,)], [])


def test_past_its_limit_xlsx_offers_the_same_rows_as_csv(browser, samples, monkeypatch):
    monkeypatch.setattr(exports, "XLSX_ROWS", 10)
    client = browser("finance")
    answer = client.get("/samples/export?q=cage&sort=amount&format=xlsx")
    page = answer.content.decode()
    assert (answer.status_code, "at most 10 rows" in page) == (422, True)
    assert 'href="?q=cage&amp;sort=amount&amp;format=csv"' in page
    just = client.get("/samples/export?q=cage+00&format=xlsx")
    assert just.status_code == 200, "10 rows"
    just.close()


def test_an_export_holds_all_rows_of_its_page(browser, samples):
    response = browser("finance").get("/samples/export")
    rows = list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))
    assert (len(rows), rows[0], rows[2]) == (131, ["Title", "Amount", "Currency"], ["Wash cage 001", "10.00", "USD"])
    assert 'filename="samples-' in response["Content-Disposition"]
    assert response["Cache-Control"] == "no-store"


def test_an_xlsx_export_names_who_made_it_and_totals_apart(browser, samples):
    response = browser("finance").get("/samples/export?format=xlsx")
    book = load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    about = dict(book["About"].values)
    assert (about["Made by"], about["Rows"], about["Time zone"]) == ("Wilma Weber", 130, "Europe/Berlin")
    assert book["Rows"].max_row == 131
    response.close()


def test_what_lists_and_exports_say_is_in_the_language_of_the_page(browser, samples, tmp_path, settings):
    texts = {
        "About": "Angaben",
        "Made by": "Erstellt von",
        "Currency": "Währung",
        "yes": "ja",
        "There is no filter “%(name)s”.": "Es gibt keinen Filter „%(name)s“.",
        "There is no order “%(name)s”. Orders are: %(orders)s.": "Keine Ordnung „%(name)s“.",
        "There is no export “%(name)s”. Exports are: csv, xlsx.": "Kein Export „%(name)s“.",
        "This page of the list does not exist.": "Diese Seite gibt es nicht.",
    }
    client = browser("finance")
    with speaking(texts, folder=tmp_path, settings=settings):
        for question, said in {
            "?colour=red": "Es gibt keinen Filter „colour“.",
            "?sort=red": "Keine Ordnung „red“.",
            "?after=red": "Diese Seite gibt es nicht.",
            "/export?format=pdf": "Kein Export „pdf“.",
        }.items():
            assert said in client.get(f"/samples{question}").content.decode()
        assert csv_rows([Column("Paid", lambda row: row), Column("Fee", lambda _: 100, cents=True)], [True]) == [
            ["Paid", "Fee", "Währung"],
            ["ja", "1.00", "USD"],
        ]
        response = client.get("/samples/export?format=xlsx")
        book = load_workbook(io.BytesIO(b"".join(response.streaming_content)))
        assert dict(book["Angaben"].values)["Erstellt von"] == "Wilma Weber"
        response.close()


def test_a_csv_export_asks_for_no_totals(browser, samples):
    with CaptureQueriesContext(connection) as asked:
        client = browser("finance")
        b"".join(client.get("/samples/export").streaming_content)
    assert not [query["sql"] for query in asked if "COUNT" in query["sql"]]


def test_another_format_is_not_understood(browser, samples):
    response = browser("finance").get("/samples/export?format=pdf")
    assert response.status_code == 400


def test_a_filter_that_is_not_understood_leads_from_an_export_to_its_page_and_from_a_page_to_itself(browser, samples):
    client = browser("finance")
    for address, page in (("/samples/export?colour=red", "/samples"), ("/samples?colour=red", "/samples")):
        answer = client.get(address)
        assert (answer.status_code, "There is no filter" in answer.content.decode()) == (400, True), address
        assert f'class="btn btn-primary" href="{page}"' in answer.content.decode(), address
