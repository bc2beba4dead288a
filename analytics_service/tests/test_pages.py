"""What an admin sees, and what others do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.test import Client

from analytics import services
from chassis.identity.sessions import EPOCH, SID
from chassis.replica.models import Account
from eventbus.testing import deliver
from tests.making import at, earned, make, posted, reversed_, uid

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]  # traced, it takes twice as long
TODAY = date(2026, 3, 4)  # a Wednesday; the business zone is Berlin's
NOW = at(TODAY, 14)


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def signed_in(role: str) -> Client:
    account = Account.objects.create(id=UUID(uid(role)), full_name=f"The {role}", email=f"{role}@x.example", role=role)
    client = Client()
    client.force_login(account)
    session = client.session
    session[EPOCH], session[SID] = account.session_epoch, "a-sid"
    session.save()
    return client


@pytest.fixture
def admin() -> Client:
    return signed_in("admin")


def page(client: Client, address: str = "/", status: int = 200) -> BeautifulSoup:
    response = client.get(address)
    assert response.status_code == status
    return BeautifulSoup(response.content, "html.parser")


def words(element: Any) -> str:
    """The text as it reads, with plain dashes."""
    return " ".join(element.get_text(" ").split()).replace("\u2212", "-").replace("\u2013", "-")


def cards(soup: BeautifulSoup) -> dict[str, str]:
    return {words(fact.h2): words(fact).removeprefix(words(fact.h2)).strip() for fact in soup.select(".fact")}


def rows(soup: BeautifulSoup, table: str) -> dict[str, str]:
    found = soup.select(f"#{table} tbody tr")
    return {row.time["datetime"]: " | ".join(words(cell) for cell in row.find_all("td")) for row in found}


def consume(*events: Any) -> None:
    services.facts_consume(events=list(events))


def titled(task: str, title: str, jira_id: str | None = None) -> Any:
    return make("TaskUpdated", task_id=uid(task), version=1, title=title, jira_id=jira_id)


@pytest.mark.parametrize("role", ["manager", "finance", "worker"])
@pytest.mark.parametrize("address", ["/", "/ties/2026-03-04/2026-03-04", "/dead-letters/"])
def test_only_admins_may_open_any_page(role: str, address: str):
    soup = page(signed_in(role), address, status=403)

    assert "admin" in words(soup)
    assert not soup.select(".fact")


def test_a_stranger_is_sent_to_sign_in():
    response = Client().get("/")

    assert response.status_code == 302
    assert response["Location"].startswith("/login")


def test_an_empty_installation_says_so_in_every_place(admin: Client):
    soup = page(admin)

    assert cards(soup) == {
        "Management's income today": "$0.00 $0.00 fees - $0.00 rewards + $0.00 reversed",
        "Workers below zero": "0 and no leaver",
        "Most expensive today": "- Nothing completed yet",
        "Most expensive this week": "- Nothing completed yet",
        "Most expensive this month": "- Nothing completed yet",
    }
    assert "Nothing was completed in this period" in words(soup)
    assert len(rows(soup, "days")) == 30
    assert not soup.find_all("canvas")
    assert set(rows(soup, "days").values()) == {" | Nothing completed"}


def test_the_cards_show_today_this_week_and_this_month(admin: Client):
    services.accounts_consume(events=[make("AccountCreated", account_id=uid("wilma"), full_name="Wilma Weber")])
    consume(
        titled("cage", "Wash the cage", "POPUG-42"),
        posted("fee", -1500, TODAY, account="other"),
        earned(2500, TODAY, task="cage"),
        earned(3000, TODAY - timedelta(days=2), task="monday"),
        earned(3500, TODAY - timedelta(days=3), task="sunday"),
        earned(4000, date(2026, 2, 28), task="february"),
        reversed_(4000, TODAY, task="february"),
    )

    found = cards(page(admin))

    assert found["Management's income today"] == "$30.00 $15.00 fees - $25.00 rewards + $40.00 reversed"
    assert found["Workers below zero"] == "1 and no leaver"
    assert found["Most expensive today"] == "$25.00 POPUG-42 Wash the cage by Wilma Weber"
    assert found["Most expensive this week"].startswith("$30.00")
    assert found["Most expensive this month"].startswith("$35.00")


def test_leavers_below_zero_are_counted_apart(admin: Client):
    services.accounts_consume(events=[make("AccountDeactivated", account_id=uid("gone"), active=False)])
    consume(posted("fee", -1500, TODAY, account="gone"), posted("fee", -1500, TODAY, account="here"))

    assert cards(page(admin))["Workers below zero"] == "1 and 1 who is no worker any more"


def test_the_day_begins_at_midnight_of_the_business_zone(admin: Client):
    consume(posted("fee", -1500, TODAY + timedelta(days=1)))
    with time_machine.travel(datetime.fromisoformat("2026-03-04T23:30:00+00:00"), tick=False):
        assert cards(page(admin))["Management's income today"].startswith("$15.00")
    assert cards(page(admin))["Management's income today"].startswith("$0.00")


def test_each_day_of_the_period_has_its_row_and_empty_days_say_so(admin: Client):
    consume(titled("cage", "Wash the cage"), earned(2500, TODAY, task="cage"), posted("fee", -1200, TODAY))

    soup = page(admin, "/?from=2026-03-03&to=2026-03-05")

    assert rows(soup, "days") == {
        "2026-03-03": " | Nothing completed",
        "2026-03-04": f"$25.00 | Wash the cage by {uid('wilma')[:8]}",
        "2026-03-05": " | Nothing completed",
    }
    assert rows(soup, "incomes")["2026-03-04"] == "$12.00 | $25.00 | $0.00 | -$13.00"
    assert "Nothing was completed in this period" not in words(soup)


def test_the_chart_draws_what_the_table_says(admin: Client):
    consume(earned(2500, TODAY))

    soup = page(admin, "/?from=2026-03-03&to=2026-03-04")

    for canvas in soup.select("canvas"):
        table = soup.find(id=canvas["data-chart-table"])
        heads = [("data-series" in head.attrs) for head in table.select("thead th")]
        values = [
            cell.get("data-value")
            for row in table.select("tbody tr")
            for cell, series in zip(row.find_all(["th", "td"]), heads, strict=True)
            if series
        ]
        assert values == {"days": [None, "2500"], "incomes": ["0", "-2500"]}[table["id"]]


def test_no_script_and_no_style_stands_in_the_page(admin: Client):
    consume(titled("cage", "<script>alert(1)</script>"), earned(2500, TODAY, task="cage"))

    soup = page(admin)

    assert all(
        script.get("src", "").startswith("/static/") and not script.get_text() for script in soup.find_all("script")
    )
    assert not soup.find_all("style")
    assert not soup.find_all(style=True)
    assert "<script>alert(1)</script>" in words(soup)


def test_tasks_and_days_link_to_the_services_that_know_more(admin: Client, settings: Any):
    consume(earned(2500, TODAY))

    links = {link["href"] for link in page(admin).find_all("a")}

    assert f"{settings.PUBLIC_URLS['tasks']}/tasks/{uid('cage')}" in links
    assert f"{settings.PUBLIC_URLS['billing']}/days/2026-03-04" in links


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("from=2026-03-05&to=2026-03-04", "The first day comes after the last one."),
        ("from=2026-02-30&to=2026-03-04", "“2026-02-30” is not a date"),
        ("from=2026-03-04", "Choose the last day"),
        ("to=2026-03-04", "Choose the first day"),
        ("from=&to=", "Choose the first day"),
        ("from=2024-03-04&to=2026-03-04", "at most 366 days"),
        ("from=%3Cb%3E&to=2026-03-04", "“<b>” is not a date"),
        ("from=0001-01-01&to=0001-01-01", "between 2000 and 2199"),
        ("from=9999-12-31&to=9999-12-31", "between 2000 and 2199"),
    ],
)
def test_a_period_that_is_not_understood_is_an_error_and_shows_no_table(admin: Client, query: str, reason: str):
    consume(earned(2500, TODAY))

    soup = page(admin, f"/?{query}", status=400)

    assert reason in words(soup.find(role="alert"))
    assert not soup.find_all("table")
    assert cards(soup)["Most expensive today"].startswith("$25.00")


def test_an_unknown_filter_is_an_error(admin: Client):
    assert "There is no filter “worker”" in words(page(admin, "/?worker=7", status=400))


def test_a_period_of_366_days_is_shown(admin: Client):
    assert len(rows(page(admin, "/?from=2027-03-01&to=2028-02-29"), "days")) == 366


def test_a_preset_is_marked_as_chosen(admin: Client):
    chosen = page(admin, "/?from=2026-03-01&to=2026-03-04").select("[aria-current=true]")

    assert "This month" in [words(link) for link in chosen]


def test_a_long_tie_leads_to_a_page_with_all_of_it(admin: Client):
    consume(*(earned(4000, TODAY, task=number, moment=at(TODAY, 8, number)) for number in range(7)))

    soup = page(admin, "/?from=2026-03-04&to=2026-03-04")
    address = soup.select_one("#days a[href^='/ties/']")["href"]

    assert address == "/ties/2026-03-04/2026-03-04"
    assert len(page(admin, address).select("tbody tr")) == 7


def test_a_tie_is_read_page_by_page(admin: Client):
    consume(*(earned(4000, TODAY, task=number, moment=at(TODAY, 8, number)) for number in range(60)))

    first = page(admin, "/ties/2026-03-01/2026-03-31")
    second = page(admin, "/ties/2026-03-01/2026-03-31" + first.find("a", rel="next")["href"])

    shown = [link["href"].rsplit("/", 1)[1] for soup in (first, second) for link in soup.select("tbody th a")]
    assert shown == [uid(number) for number in range(60)]


def test_a_tie_of_an_empty_period_says_so(admin: Client):
    assert "Nothing was completed" in words(page(admin, "/ties/2026-03-01/2026-03-31"))


@pytest.mark.parametrize(
    "address",
    [
        "/ties/2026-03-31/2026-03-01",
        "/ties/2026-02-30/2026-03-01",
        "/ties/x/y",
        "/ties/0001-01-01/0001-01-01",
        "/ties/9999-12-31/9999-12-31/export",
    ],
)
def test_a_tie_of_no_period_is_not_found(admin: Client, address: str):
    page(admin, address, status=404)


@pytest.mark.parametrize(("period", "shown"), [("2026-03-01", "Sun 1 Mar"), ("2020-03-01", "Sun 1 Mar 2020")])
def test_days_of_another_year_say_which(admin: Client, period: str, shown: str):
    row = page(admin, f"/?from={period}&to={period}").select_one("#days tbody th")
    assert words(row) == shown


@pytest.mark.parametrize("address", ["/", "/ties/2026-03-01/2026-03-31"])
def test_while_figures_may_be_incomplete_a_banner_says_why(admin: Client, address: str):
    assert "not everything that happened has arrived" in words(page(admin, address))
    deliver("facts", [earned(4000, TODAY)])
    assert "Figures may be incomplete" not in words(page(admin, address))
    deliver("facts", [earned(4000, TODAY, task=2), replace(earned(4000, TODAY, task=3), data=earned(1, TODAY).data)])
    assert "1 event waits for a decision" in words(page(admin, address))


def test_what_billing_waits_for_is_on_its_overview_where_this_one_leads(admin: Client, settings: Any):
    note = page(admin, "/").find("a", string="its overview")
    assert note["href"] == settings.PUBLIC_URLS["billing"]


def many(count: int) -> list[Any]:
    days = [TODAY - timedelta(days=number % 20) for number in range(count)]
    return [earned(4000, day, task=number, account=f"w{number % 9}") for number, day in enumerate(days)]


@pytest.mark.parametrize(
    ("address", "queries"), [("/", 12), ("/?from=2025-03-05&to=2026-03-04", 12), ("/ties/2026-02-01/2026-03-04", 9)]
)
def test_the_number_of_queries_does_not_grow(admin: Client, django_assert_num_queries: Any, address: str, queries: int):
    consume(*many(5))
    with django_assert_num_queries(queries):
        page(admin, address)
    consume(*many(400))
    with django_assert_num_queries(queries):
        page(admin, address)
