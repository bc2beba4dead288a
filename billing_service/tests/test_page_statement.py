"""A statement, in words."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import Transfer
from billing.selectors.clock import database_now
from billing.services.adjustments import adjustment_post
from eventbus.models import ConsumerOffset
from eventbus.testing import deliver
from tests.ledger import close
from tests.make import (
    BOSS,
    MONDAY,
    WILMA,
    account,
    assigned,
    completed,
    fee,
    open_cycle,
    reopened,
    reward,
    task_id,
    task_state,
)
from tests.pages import dollars, facts, page, rows, soup_of, text

pytestmark = pytest.mark.django_db
TASK = task_id()


class TestStatement:
    def test_each_entry_names_its_task_its_cause_and_the_balance_after_it(self, browser, worked):
        deliver("tasks", [reopened(actor=BOSS), assigned(no=2, cause="reassigned", time=MONDAY + timedelta(hours=4))])
        found = rows(page(browser("finance"), f"/workers/{WILMA}"))
        task = "POPUG-42 · Wash the cage"
        f, r = fee(TASK), reward(TASK)
        assert [line[1:] for line in found] == [
            ["Fee", f"{task} all tasks reassigned by M. Braun, 14:00", dollars(-f), dollars(-2 * f)],
            ["Reward reversed", f"{task} reopened by M. Braun, 12:00", dollars(-r), dollars(-f)],
            ["Reward", f"{task} completed by W. Weber, 11:00", f"+{dollars(r)}", dollars(r - f)],
            ["Fee", f"{task} assigned at creation by M. Braun, 10:00", dollars(-f), dollars(-f)],
        ]
        assert found[0][0] == "2 Mar 2026, 14:00 CET"

    def test_payouts_and_corrections_are_in_words_too(self, browser, worked):
        given = {"account_id": WILMA, "actor_id": BOSS, "now": MONDAY, "reason": "The reward was lost."}
        adjustment_post(form_key=uuid4(), amount=100, credit=True, **given)
        close()
        found = rows(page(browser("finance"), f"/workers/{WILMA}"))
        assert found[0][1:3] == ["Payout", "cycle due 2 Mar 2026, 18:00 CET was closed"]
        assert found[0][4] == "$0.00"
        assert found[1][1:3] == ["Correction", "The reward was lost. corrected by M. Braun, 10:00"]

    def test_an_unknown_cause_is_shown_as_it_is(self, browser, worked):
        deliver("tasks", [assigned(no=2, cause="by lot", actor="system")])
        assert "by lot, by the system, 10:00" in rows(page(browser("finance"), f"/workers/{WILMA}"))[0][2]

    def test_a_cause_that_would_fill_the_page_is_cut_and_more_of_it_is_on_hover(self, browser, worked):
        deliver("tasks", [assigned(no=2, cause="<lot>" + "x" * 100_000, actor="system")])
        client = browser("finance")
        entry = Transfer.objects.get(cause__startswith="<lot>")
        for address in (f"/workers/{WILMA}", f"/tasks/{TASK}", f"/entries/{entry.id}"):
            response = client.get(address)
            assert len(response.content) < 100_000, address
            [cause] = [span for span in soup_of(response).select("span[title]") if span.text.startswith("<lot>")]
            assert len(cause.text) < 100, address
            assert cause.text.endswith("…, by the system, 10:00"), address
            assert 1_000 < len(cause["title"]) < 1_100, address

    def test_balance_and_todays_earnings_stand_above(self, browser, worked):
        me = browser("worker", who=account(role="worker"))
        mine = me.account.id
        now = database_now()
        # At one price in 231 fee and reward are the same, and nothing is earned.
        task = next(task for task in map(task_id, range(7, 99)) if reward(task) > fee(task))
        deliver("tasks", [assigned(task, account=mine, time=now), completed(task, account=mine, time=now)])
        earned = reward(task) - fee(task)
        found = facts(page(me, "/statement"))
        assert (found["Balance"], found["Earned today"]) == (dollars(earned), f"+{dollars(earned)}")

    def test_an_entry_that_missed_its_cycle_is_marked_late(self, browser, worked):
        close()
        deliver("tasks", [completed(no=2, time=MONDAY + timedelta(hours=3))])
        assert rows(page(browser("finance"), f"/workers/{WILMA}"))[0][0] == "2 Mar 2026, 13:00 CET late"

    def test_a_title_is_text_and_nothing_else(self, browser, worked):
        deliver("tasks", [task_state(version=2, title="<script>alert(1)</script>")])
        soup = page(browser("finance"), f"/workers/{WILMA}")
        assert "<script>alert(1)</script>" in text(soup.select_one("table"))

    def test_one_day_only(self, browser, worked):
        client = browser("finance")
        assert len(rows(page(client, f"/workers/{WILMA}?day=2026-03-02"))) == 2
        assert "No entries on this day" in text(page(client, f"/workers/{WILMA}?day=2026-03-03"))
        for wrong in ("day=soon", "dya=2026-03-02", "sort=amount", "after=x"):
            assert client.get(f"/workers/{WILMA}?{wrong}").status_code == 400

    def test_whoever_has_no_entry_is_told_what_will_be_here(self, browser):
        assert "No entries yet" in text(page(browser("worker"), "/statement"))

    def test_a_worker_not_known_yet_has_a_statement(self, browser):
        deliver("tasks", [assigned()])
        assert "not known yet" in text(page(browser("finance"), f"/workers/{WILMA}"))

    def test_pages_follow_each_other_without_gap_or_repetition(self, browser):
        open_cycle()
        deliver("tasks", [assigned(no=number) for number in range(1, 121)])
        client, address, seen = browser("finance"), f"/workers/{WILMA}", []
        while address:
            soup = page(client, address)
            seen += [row["id"] for row in soup.select("tbody tr")]
            following = soup.select_one("a[rel=next]")
            address = f"/workers/{WILMA}{following['href']}" if following else None
        assert seen == [f"entry-{number}" for number in range(120, 0, -1)]

    def test_the_number_of_queries_does_not_grow_with_the_entries(self, browser, worked):
        client = browser("finance")
        counts = []
        for number in (2, 40):
            deliver("tasks", [assigned(task_id(number), no=number), completed(task_id(number))])
            with CaptureQueriesContext(
                connection,
            ) as queries:
                page(client, f"/workers/{WILMA}")
            counts.append(len(queries))
        assert counts[0] == counts[1] <= 21


class TestNews:
    def test_new_entries_are_offered_and_nothing_moves(self, browser, worked):
        client, address = browser("finance"), f"/workers/{WILMA}"
        poll = page(client, address).select_one(".news")
        assert poll["hx-trigger"] == "poll"
        headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{address}?sort=posted"}
        assert text(page(client, poll["hx-get"], headers=headers)) == ""
        deliver("tasks", [assigned(no=2), assigned(no=3)])
        news = page(client, poll["hx-get"], headers=headers)
        assert text(news) == "2 new entries, show"
        assert news.a["href"] == f"{address}?sort=posted"

    def test_others_hear_no_news_of_it(self, browser, worked):
        assert browser("worker").get(f"/workers/{WILMA}/news?since=0").status_code == 403
        assert browser("finance").get(f"/workers/{WILMA}/news?since=x").status_code == 400


class TestIncompleteFigures:
    def test_a_consumer_that_never_reached_the_end_is_said(self, browser):
        assert "not everything that happened has arrived" in text(page(browser("worker"), "/statement"))

    def test_nothing_is_said_when_all_is_well(self, browser):
        open_cycle(database_now() + timedelta(hours=1))
        deliver("tasks", [assigned()])
        assert "Figures may be incomplete" not in text(page(browser("finance"), "/"))

    @pytest.mark.parametrize(("seconds", "said"), [(25, False), (35, True)])
    def test_a_consumer_that_is_more_than_thirty_seconds_behind_is_said(self, browser, seconds, said):
        open_cycle(database_now() + timedelta(hours=1))
        deliver("tasks", [assigned()])
        ConsumerOffset.objects.update(caught_up_at=database_now() - timedelta(seconds=seconds))
        assert ("Figures may be incomplete" in text(page(browser("finance"), "/"))) is said

    def test_dead_letters_and_an_overdue_cycle_are_said(self, browser):
        open_cycle(database_now() - timedelta(minutes=11))
        deliver("tasks", [assigned(account="nobody")])
        found = text(page(browser("finance"), "/"))
        assert "1 event waits for a decision" in found
        assert "A billing cycle is overdue" in found
