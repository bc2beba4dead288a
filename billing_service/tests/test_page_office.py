"""What admins and finance see."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import Cycle, LedgerAccount
from billing.selectors.clock import database_now
from billing.services.adjustments import adjustment_post
from billing.services.cycles import cycle_flip
from chassis.business_time import business_date
from chassis.replica.models import Account
from eventbus.testing import deliver
from tests.ledger import close
from tests.make import (
    BORIS,
    DUE,
    MONDAY,
    WILMA,
    assigned,
    completed,
    fee,
    open_cycle,
    reward,
    task_id,
)
from tests.pages import dollars, facts, page, rows, soup_of, text

pytestmark = pytest.mark.django_db
TASK = task_id()


class TestOverview:
    def test_income_of_today_and_of_the_open_cycle(self, browser):
        open_cycle(database_now() + timedelta(hours=1))
        now = database_now()
        deliver("tasks", [assigned(time=now), completed(time=now), completed(task_id(2), time=now - timedelta(days=2))])
        found = facts(page(browser("finance"), "/"))
        today = fee(TASK) - reward(TASK)
        assert found["Income today"] == dollars(today)
        assert found["Open cycle so far"] == dollars(today - reward(task_id(2)))

    def test_balances_are_asked_for_apart_because_they_read_every_account(self, browser, worked):
        client = browser("finance")
        cards = page(client, "/").select_one("[hx-get='/totals']")
        assert cards["hx-trigger"] == "load"
        assert cards.select_one("a")["href"] == "/totals"
        balance = reward(TASK) - fee(TASK)
        for headers in ({}, {"HX-Request": "true"}):
            found = facts(page(client, "/totals", headers=headers))
            assert found["Owed to workers"] == dollars(balance)
            assert found["Workers' debts"] == dollars(-fee(task_id(2)))

    def test_thirty_days_with_what_was_recorded_after_closing_apart(self, browser, worked):
        close()
        deliver("tasks", [completed(no=2)])
        soup = page(browser("admin"), "/days/2026-03-02")
        income = fee(TASK) + fee(task_id(2)) - 2 * reward(TASK)
        assert facts(soup)["Management's income"] == dollars(income)
        assert f"of it {dollars(-reward(TASK))} recorded after its cycle was closed" in text(soup)

    def test_the_chart_says_what_the_table_says(self, browser):
        now = database_now()
        deliver("tasks", [assigned(time=now)])
        soup = page(browser("admin"), "/")
        assert len(rows(soup)) == 30
        chart = [int(cell["data-value"]) for cell in soup.select("#income [data-value]")]
        assert chart == [0] * 29 + [fee(TASK)]
        assert rows(soup)[0][4] == dollars(fee(TASK))

    def test_below_the_days_stands_what_they_are_together(self, browser):
        open_cycle(database_now() + timedelta(hours=1))
        now = database_now()
        before = now - timedelta(days=3)
        deliver("tasks", [assigned(time=now), completed(time=before), assigned(task_id(2), time=before)])
        total = [text(cell) for cell in page(browser("finance"), "/").select("tfoot td")]
        fees = fee(TASK) + fee(task_id(2))
        assert total[:2] == [dollars(fees), dollars(reward(TASK))]
        assert total[3] == dollars(fees - reward(TASK))

    def test_an_empty_ledger_says_why_it_is_empty(self, browser):
        soup = page(browser("admin"), "/")
        assert "Nothing was posted" in text(soup)
        assert facts(soup)["Open cycle so far"] == "\N{EN DASH}"

    def test_a_cycle_that_is_not_closed_in_time_is_pointed_out(self, browser, worked):
        assert "The cycle due 2 Mar 2026, 18:00 CET is not closed yet" in text(page(browser("admin"), "/"))


class TestDays:
    def test_a_day_lists_its_workers_least_earned_first(self, browser, worked):
        found = rows(page(browser("admin"), "/days/2026-03-02"))
        assert [(row[0], row[4], row[6]) for row in found] == [
            ("Boris Bauer", dollars(-fee(task_id(2))), "1"),
            ("Wilma Weber", f"+{dollars(reward(TASK) - fee(TASK))}", "2"),
        ]

    def test_it_can_be_sorted_the_other_way(self, browser, worked):
        found = rows(page(browser("admin"), "/days/2026-03-02?sort=-entries"))
        assert [row[0] for row in found] == ["Wilma Weber", "Boris Bauer"]

    def test_from_the_day_one_gets_to_the_workers_entries(self, browser, worked):
        client = browser("admin")
        link = page(client, "/days/2026-03-02").select_one("tbody a")["href"]
        assert len(rows(page(client, link))) == 1

    def test_a_saturday_belongs_to_mondays_cycle(self, browser):
        open_cycle(datetime(2026, 3, 9, 17, tzinfo=UTC))
        saturday = datetime(2026, 3, 7, 10, tzinfo=UTC)
        deliver("tasks", [assigned(time=saturday)])
        close(datetime(2026, 3, 9, 17, tzinfo=UTC))
        soup = page(browser("admin"), "/days/2026-03-07")
        assert "after its cycle was closed" not in text(soup)
        deliver("tasks", [assigned(no=2, time=saturday)])
        assert "after its cycle was closed" in text(page(browser("admin"), "/days/2026-03-07"))

    def test_a_day_without_entries_says_so(self, browser):
        assert "Nothing happened on this day" in text(page(browser("admin"), "/days/2020-01-01"))

    def test_a_day_to_come_says_so_and_leads_to_today(self, browser):
        today = business_date(database_now())
        soup = page(browser("admin"), f"/days/{today + timedelta(days=1)}")
        assert "This day is still to come" in text(soup)
        assert "Nothing happened" not in text(soup)
        assert text(soup.select_one(f".empty a[href='/days/{today}']")) == "Today"
        assert "Nothing happened on this day" in text(page(browser("admin"), f"/days/{today}"))


class TestWorkers:
    def test_the_lowest_balance_comes_first_and_totals_stand_below(self, browser, worked):
        client = browser("finance")
        soup = page(client, "/workers")
        balance = reward(TASK) - fee(TASK)
        assert [(row[0], row[1], row[4]) for row in rows(soup)] == [
            ("Boris Bauer", "worker", dollars(-fee(task_id(2)))),
            ("Wilma Weber", "worker", dollars(balance)),
        ]
        total = f"owed to workers {dollars(balance)} · debts {dollars(-fee(task_id(2)))}"
        assert soup.select_one("tfoot")["hx-get"] == "/workers/totals"
        assert total in text(page(client, "/workers/totals", headers={"HX-Request": "true"}))
        assert len(facts(page(client, "/workers/totals"))) == 3

    def test_who_left_with_a_balance_is_listed_apart(self, browser, worked):
        client = browser("finance")
        assert "Nobody left with a balance" in text(page(client, "/workers?show=left"))
        Account.objects.filter(id=BORIS).update(is_active=False)
        assert [row[:2] for row in rows(page(client, "/workers?show=left"))] == [["Boris Bauer", "deactivated"]]
        assert client.get("/workers?show=all").status_code == 400

    def test_an_empty_list_says_what_will_be_here(self, browser):
        assert "Nobody has a ledger account yet" in text(page(browser("finance"), "/workers"))


class TestCycles:
    def test_a_cycle_shows_whom_it_paid_and_whether_they_were_told(self, browser, worked):
        close()
        cycle = Cycle.objects.get(state="closed")
        soup = page(browser("finance"), f"/cycles/{cycle.id}")
        paid = dollars(reward(TASK) - fee(TASK))
        assert rows(soup.select_one("#payouts")) == [["Wilma Weber", "to be sent", paid]]
        assert facts(soup)["Paid out"] == paid
        assert cycle.hash in text(soup)

    def test_a_closing_cycle_shows_how_far_it_is(self, browser, worked):
        cycle = Cycle.objects.get()
        cycle_flip(cycle_id=cycle.id, now=DUE)
        soup = page(browser("finance"), f"/cycles/{cycle.id}")
        assert "0 of 1 workers" in text(soup)
        Cycle.objects.filter(id=cycle.id).update(failure="OSError: no space", failed_at=DUE)
        soup = text(page(browser("finance"), f"/cycles/{cycle.id}"))
        assert "failed, is tried again" in soup
        assert "OSError: no space" in soup

    def test_the_list_shows_the_newest_first(self, browser, worked):
        close()
        found = rows(page(browser("finance"), "/cycles"))
        assert [row[:2] for row in found] == [["3 Mar 2026, 18:00 CET", "due"], ["2 Mar 2026, 18:00 CET", "closed"]]

    def test_the_number_of_queries_does_not_grow_with_the_cycles(self, browser):
        client, counts = browser("finance"), []
        for number in range(2):
            for day in range(1, 20 * number + 2):
                open_cycle(DUE + timedelta(days=100 * number + day), state="closed")
            with CaptureQueriesContext(connection) as queries:
                page(client, "/cycles")
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_a_ledger_without_cycles_says_so(self, browser):
        assert "No cycle yet" in text(page(browser("finance"), "/cycles"))

    def test_finance_asks_to_close_a_due_cycle_once(self, browser, worked):
        client, cycle = browser("finance"), Cycle.objects.get()
        address = f"/cycles/{cycle.id}"
        form = page(client, address).select_one(f"form[action='{address}/close']")
        key = form.select_one("[name=form_key]")["value"]
        for _ in range(2):
            response = client.post(f"{address}/close", {"form_key": key}, follow=True)
            assert response.redirect_chain == [(address, 302)]
        cycle.refresh_from_db()
        assert cycle.requested_by == client.account.id
        soup = page(client, address)
        assert "Some finance asked to close it now" in text(soup)
        assert soup.select_one("form[action$='/close']") is None

    def test_while_it_is_being_closed_the_page_says_how_far_it_is_and_asks_no_more_at_the_end(self, browser, worked):
        client, cycle = browser("finance"), Cycle.objects.get()
        asks = page(client, f"/cycles/{cycle.id}").select_one("[hx-get$='/progress']")
        assert asks["hx-get"] == f"/cycles/{cycle.id}/progress"
        cycle_flip(cycle_id=cycle.id, now=DUE)
        response = client.get(asks["hx-get"])
        assert response.status_code == 200
        assert "It is being closed: 0 of 1 workers are paid" in text(soup_of(response))
        close()
        response = client.get(asks["hx-get"])
        assert response.status_code == 286  # for htmx: the last one
        assert f"It is closed: 1 payout of {dollars(reward(task_id()) - fee(task_id()))}." in text(soup_of(response))
        assert page(client, f"/cycles/{cycle.id}").select_one("[hx-get$='/progress']") is None

    def test_a_cycle_that_is_not_due_is_not_closed_by_an_old_page(self, browser):
        cycle = open_cycle(datetime(2100, 1, 1, tzinfo=UTC))
        response = browser("finance").post(f"/cycles/{cycle.id}/close", {"form_key": str(uuid4())}, follow=True)
        assert "this cycle is not due" in response.content.decode()

    def test_a_form_without_its_key_is_refused(self, browser, worked):
        cycle = Cycle.objects.get()
        response = browser("finance").post(f"/cycles/{cycle.id}/close", follow=True)
        assert "press the button again" in response.content.decode()
        assert Cycle.objects.get().requested_at is None


def news_of(client, address):
    """Asks what came since the page was made, as the page does by itself."""
    asked = page(client, address).select_one(".news[data-poll]")["hx-get"]
    return lambda: soup_of(client.get(asked, headers={"HX-Request": "true"})).a


def test_a_cycle_that_began_since_the_page_was_made_is_offered(browser, worked):
    finance = browser("finance")
    news = news_of(finance, "/cycles")
    assert news() is None
    cycle_flip(cycle_id=Cycle.objects.get(state="open").id, now=database_now())
    assert (text(news()), news()["href"]) == ("1 new, show", "/cycles")
    assert len(rows(page(finance, "/cycles"))) == 2


def test_a_correction_posted_since_the_page_was_made_is_offered_where_it_belongs(browser, worked):
    finance = browser("finance")
    everybodys, boris = news_of(finance, "/corrections"), news_of(finance, f"/corrections?worker={BORIS}")
    assert (everybodys(), boris()) == (None, None)
    given = {"actor_id": finance.account.id, "now": MONDAY, "reason": "It was paid before."}
    adjustment_post(form_key=uuid4(), account_id=WILMA, amount=100, credit=True, **given)
    assert (text(everybodys()), boris()) == ("1 new, show", None)
    assert finance.get("/corrections/news?since=soon").status_code == 400
    assert browser("worker").get("/corrections/news").status_code == 403


def test_dates_are_business_dates(browser):
    open_cycle()
    deliver("tasks", [assigned(time=datetime(2026, 3, 1, 23, 30, tzinfo=UTC))])
    assert rows(page(browser("admin"), f"/days/{date(2026, 3, 2)}"))[0][6] == "1"
    assert LedgerAccount.objects.count() == 1
