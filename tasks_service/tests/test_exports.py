"""Each export opened again and compared with its page."""

import csv
import io
from datetime import datetime
from uuid import uuid4

import pytest
from openpyxl import load_workbook

from chassis.business_time import format_when
from chassis.replica.models import Account
from eventbus.testing import deliver
from tasks.domain import Heading
from tasks.models import Task

from .support.pages import soup, text_of, titles
from .support.people import deactivated, person
from .support.work import complete, new_task, price, reassign

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]  # traced, it takes twice as long


@pytest.fixture
def manager(browser):
    manager = browser("manager", "Max Braun")
    for name in ("Wilma Weber", "Nora Nagel"):
        person("worker", name)
    return manager


def csv_of(client, address):
    answer = client.get(address)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def xlsx_of(client, address):
    """The first sheet as a dictionary, and the rows of the second one."""
    book = load_workbook(io.BytesIO(b"".join(client.get(address).streaming_content)))
    about = {row[0]: row[1] for row in book["About"].values}
    header, *rows = book["Rows"].values
    return about, [dict(zip(header, row, strict=True)) for row in rows]


def links(client, address):
    """Where the page's export menu leads, by format."""
    return {
        text_of(link).split()[0].lower(): link["href"]
        for link in soup(client.get(address)).select(".menu a[href*=export]")
    }


@pytest.mark.parametrize("address", ["/?show=open", "/?show=open&sort=assigned", "/?show=done", "/?show=open&q=crate"])
def test_an_export_has_all_rows_of_the_page_in_its_order(manager, address):
    for n in range(70):
        price(new_task(manager.account, heading=Heading(f"Count crate {n}", "POPUG-1" if n % 2 else None), minutes=n))
    new_task(manager.account, "Wash 🦜 القفص", description="one\ntwo", minutes=99)
    for task in Task.objects.order_by("id")[:20]:
        complete(task, manager.account, minutes=100)
    pages, following = [], address
    while following:
        page = manager.get(following)
        pages += soup(page).select("#task-rows tr")
        found = soup(page).select_one("a[rel=next]")
        following = found and "/" + found["href"]
    told = links(manager, address)
    rows = csv_of(manager, told["csv"])
    assert [row["Title"] for row in rows] == [text_of(row.select_one(".lead-cell a")) for row in pages]
    for row, shown in zip(rows, pages, strict=True):
        cells = [text_of(cell) for cell in shown.select("td")]
        assert cells[0] == f"{row['Jira id']} {row['Title']}".strip()
        assert cells[1] == row["Assignee"]
        if row["Fee"]:
            assert cells[2:4] == [f"${row['Fee']}", f"${row['Reward']}"]
        else:
            assert cells[2:4] == ["being priced"] * 2
        assert (cells[4], row["Currency"]) == (row["Status"], "USD")
        moment = shown.select_one("time")["title"]
        assert moment == row["Assigned" if row["Status"] == "open" else "Done"]
    about, sheet = xlsx_of(manager, told["xlsx"])
    assert [row["Title"] for row in sheet] == [row["Title"] for row in rows]
    assert about["Tasks"] == len(rows)
    assert about["Made by"] == "Max Braun"
    assert [row["Fee"] for row in sheet if row["Fee"]] == [15] * len([row for row in rows if row["Fee"]])
    assert about["Fees"] == 15 * sum(bool(row["Fee"]) for row in rows)


def test_the_list_of_runs_and_one_run_are_exported(manager):
    for n in range(5):
        task = new_task(manager.account, f"Task {n}")
        if n:
            price(task, fee=1000)
    run = reassign(manager.account)
    told = links(manager, "/reassignments")
    (row,) = csv_of(manager, told["csv"])
    shown = [text_of(cell) for cell in soup(manager.get("/reassignments")).select("tbody td")]
    assert shown[1:4] == [row["Who"], row["Tasks"], row["Workers"]]
    assert shown[0] == format_when(datetime.fromisoformat(row["When"]))
    assert shown[4] == f"${row['Fees']} and that of {row['Unpriced']} unpriced"
    assert shown[5:] == [row["State"]]
    about, sheet = xlsx_of(manager, told["xlsx"])
    assert sheet[0]["Fees"] == about["Fees"] == 40
    assert (about["Reassignments"], about["Tasks"]) == (1, 5)
    told = links(manager, f"/reassignments/{run.pk}")
    rows = csv_of(manager, told["csv"])
    table = soup(manager.get(f"/reassignments/{run.pk}")).select("tbody tr")
    assert [[row["Worker"], row["Before"], row["After"]] for row in rows] == [
        [text_of(cell) for cell in line.select("th, td")] for line in table
    ]
    about, sheet = xlsx_of(manager, told["xlsx"])
    assert sum(row["After"] for row in sheet) == 5
    assert about["Filters"] == "Max Braun, 2 Mar 2026, 11:05 CET", "the time of the page, in the business zone"
    assert (about["Tasks drawn anew"], about["Among workers"], about["Fees charged"]) == (5, 2, 40)


def test_a_task_that_waits_for_a_worker_says_so_in_its_export(manager):
    new_task(manager.account)
    deliver("accounts", [deactivated(worker) for worker in Account.objects.filter(role="worker")])
    (row,) = csv_of(manager, "/tasks/export?show=open&format=csv")
    (shown,) = soup(manager.get("/?show=open")).select("#task-rows .person-cell")
    assert row["Assignee"] == text_of(shown) == "waiting for a worker"


def test_what_looks_like_a_formula_is_text(manager):
    new_task(manager.account, "=cmd()", description="+1\n-2")
    (row,) = csv_of(manager, "/tasks/export?show=open&format=csv")
    assert (row["Title"], row["Description"]) == ("'=cmd()", "'+1\n-2")
    _, (row,) = xlsx_of(manager, "/tasks/export?show=open&format=xlsx")
    assert row["Title"] == "'=cmd()"


def test_an_export_needs_the_right_of_its_page(manager, browser):
    run = reassign(manager.account)
    me = browser("worker")
    assert me.get("/tasks/export?show=mine").status_code == 200
    assert manager.get("/tasks/export?show=mine").status_code == 400
    for address in ("/reassignments/export", f"/reassignments/{run.pk}/export"):
        assert me.get(address).status_code == 403
        assert manager.get(address).status_code == 200
    assert manager.get(f"/reassignments/{uuid4()}/export").status_code == 404


@pytest.mark.parametrize("address", ["?show=open&format=pdf", "?show=all", "?colour=red", "?show=open&sort=title"])
def test_an_export_that_is_not_understood_is_an_error_not_everything(manager, address):
    assert manager.get(f"/tasks/export{address}").status_code == 400


def test_an_export_takes_the_same_few_statements_whatever_its_length(manager, django_assert_num_queries):
    for n in range(60):
        new_task(manager.account, f"Task {n}")
    manager.get("/tasks/export?show=open")
    with django_assert_num_queries(5):  # session, account, session's floor, names, rows
        assert len(csv_of(manager, "/tasks/export?show=open")) == 60
    assert len(titles(manager.get("/?show=open"))) == 50
