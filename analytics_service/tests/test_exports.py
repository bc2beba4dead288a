"""What is taken along is what the page shows."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from openpyxl import load_workbook

from chassis.business_time import format_when
from tests.making import at, earned, posted, reversed_, uid
from tests.test_pages import NOW, TODAY, consume, page, rows, signed_in, titled, words

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]  # traced, it takes twice as long
PERIOD = "?from=2026-03-01&to=2026-03-04"


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def admin() -> Client:
    return signed_in("admin")


def in_csv(client: Client, address: str) -> list[dict[str, str]]:
    response = client.get(address)
    assert response.status_code == 200
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def in_workbook(client: Client, address: str) -> dict[str, list[tuple[Any, ...]]]:
    content = b"".join(client.get(address).streaming_content)
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in load_workbook(io.BytesIO(content))}


def work() -> None:
    consume(
        titled("cage", "=cmd() in the cage", "POPUG-42"),
        posted("fee", -1550, TODAY, account="other"),
        earned(2500, TODAY, task="cage"),
        earned(2500, TODAY, task="door", moment=at(TODAY, 15)),
        earned(4000, TODAY - timedelta(days=2), task="gone"),
        reversed_(4000, TODAY, task="gone"),
    )


def test_the_income_export_has_the_page_s_days_to_the_cent(admin: Client):
    work()
    exported = in_csv(admin, f"/income/export{PERIOD}")
    shown = rows(page(admin, f"/{PERIOD}"), "incomes")

    assert [row["Day"] for row in exported] == list(shown)
    columns = ("Fees charged", "Rewards earned", "Rewards reversed", "Management's income")
    as_shown = [
        " | ".join(f"-${row[name][1:]}" if row[name].startswith("-") else f"${row[name]}" for name in columns)
        for row in exported
    ]
    assert as_shown == list(shown.values())
    assert exported[-1]["Management's income"] == "5.50"


def test_the_tasks_export_has_each_day_and_each_of_the_tasks_that_tie(admin: Client):
    work()
    exported = in_csv(admin, f"/tasks/export{PERIOD}")

    found = [(row["Day"], row["Reward"], row["Jira id"], row["Task id"]) for row in exported]
    assert found == [
        ("2026-03-01", "", "", ""),
        ("2026-03-02", "", "", ""),
        ("2026-03-03", "", "", ""),
        ("2026-03-04", "25.00", "POPUG-42", uid("cage")),
        ("2026-03-04", "25.00", "", uid("door")),
    ]
    assert exported[3]["Task"] == "'=cmd() in the cage"
    assert exported[4]["Completed at"] == "2026-03-04T16:00:00+01:00"
    shown = rows(page(admin, f"/{PERIOD}"), "days")
    assert {day: reward_and_tasks(day, exported) for day in shown} == shown


def in_words(row: dict[str, str]) -> str:
    """A task as pages name it."""
    return " ".join(filter(None, (row["Jira id"], row["Task"].removeprefix("'"), "by", row["Earned by"])))


def reward_and_tasks(day: str, exported: list[dict[str, str]]) -> str:
    done = [row for row in exported if row["Day"] == day and row["Task id"]]
    reward = f"${done[0]['Reward']}" if done else ""
    return f"{reward} | {' '.join(map(in_words, done)) or 'Nothing completed'}"


def test_the_export_of_a_tie_has_each_cell_of_its_page(admin: Client):
    work()
    address = "/ties/2026-03-01/2026-03-04"
    cells = [[words(cell) for cell in row.select("th, td")] for row in page(admin, address).select("tbody tr")]
    exported = in_csv(admin, f"{address}/export")
    assert cells == [
        [in_words(row), format_when(datetime.fromisoformat(row["Completed at"])), f"${row['Reward']}"]
        for row in exported
    ]
    assert len(cells) == 2


def totals(admin: Client, address: str) -> list[tuple[Any, ...]]:
    return in_workbook(admin, address)["About"][-2:]


def test_exports_of_tasks_have_their_number_and_rewards_as_totals(admin: Client):
    work()
    consume(*(earned(3000, TODAY - timedelta(days=1), task=number) for number in range(20)))
    by_day = totals(admin, f"/tasks/export{PERIOD}&format=xlsx")
    assert by_day == [("Tasks", 22, None), ("Rewards", 650, "USD")]
    tie = totals(admin, "/ties/2026-03-01/2026-03-04/export?format=xlsx")
    assert tie == [("Tasks", 20, None), ("Rewards", 600, "USD")]
    nothing = totals(admin, "/ties/2026-02-01/2026-02-02/export?format=xlsx")
    assert nothing == [("Tasks", 0, None), ("Rewards", 0, "USD")]


def test_a_long_tie_is_exported_whole_and_read_in_few_statements(admin: Client, django_assert_max_num_queries: Any):
    consume(*(earned(4000, TODAY, task=number, moment=at(TODAY, 8, number % 60)) for number in range(700)))

    with django_assert_max_num_queries(20):
        exported = in_csv(admin, "/ties/2026-03-01/2026-03-04/export")
    assert len({row["Task id"] for row in exported}) == 700
    by_day = in_csv(admin, f"/tasks/export{PERIOD}")
    assert [row["Task id"] for row in by_day if row["Task id"]] == [row["Task id"] for row in exported]


def test_a_workbook_has_numbers_dates_and_a_sheet_that_says_what_it_is(admin: Client):
    work()
    book = in_workbook(admin, f"/income/export{PERIOD}&format=xlsx")

    assert book["Rows"][-1][0].date() == TODAY
    assert book["Rows"][-1][1] == 15.5
    about = {row[0]: row[1] for row in book["About"]}
    assert about["Filters"] == "2026-03-01 to 2026-03-04, both included"
    assert ("Management's income", -34.5, "USD") in book["About"]


def test_without_a_period_the_usual_one_is_exported(admin: Client):
    assert len(in_csv(admin, "/income/export")) == 30


@pytest.mark.parametrize(
    "address",
    [
        "/income/export?from=2026-03-05&to=2026-03-04",
        "/tasks/export?from=x&to=y",
        "/income/export?worker=7",
        "/income/export?format=pdf",
    ],
)
def test_an_export_that_is_not_understood_is_an_error(admin: Client, address: str):
    assert admin.get(address).status_code == 400


def test_a_tie_of_no_period_is_not_found(admin: Client):
    assert admin.get("/ties/2026-03-31/2026-03-01/export").status_code == 404


def test_an_empty_tie_has_only_its_header(admin: Client):
    assert in_csv(admin, "/ties/2026-03-01/2026-03-04/export") == []


@pytest.mark.parametrize("role", ["manager", "finance", "worker"])
@pytest.mark.parametrize("address", ["/income/export", "/tasks/export", "/ties/2026-03-04/2026-03-04/export"])
def test_only_admins_export(role: str, address: str):
    assert signed_in(role).get(address).status_code == 403


@pytest.mark.parametrize("address", ["/", f"/ties/{date(2026, 3, 4)}/{date(2026, 3, 4)}"])
def test_each_page_offers_its_exports(admin: Client, address: str):
    work()
    links = [link["href"] for link in page(admin, address).select("a.menu-item") if "format=" in link["href"]]
    assert links
    assert all(admin.get(link).status_code == 200 for link in links)
