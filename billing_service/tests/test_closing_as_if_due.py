"""Closing before the time, as the demo does: what happens afterwards is in time for the next cycle."""

import re
from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.core.management import call_command

from billing.domain import next_due
from billing.models import Cycle, Transfer
from billing.selectors.clock import database_now
from billing.selectors.days import days
from billing.selectors.ledger_check import ledger_findings
from billing.services.cycles import cycle_open_first
from billing.services.mails import payout_mails_send
from chassis.business_time import business_date, zone
from eventbus.testing import deliver
from tests.ledger import close
from tests.make import DUE, MONDAY, WILMA, account, assigned, completed, task_id
from tests.pages import page, rows, text

pytestmark = pytest.mark.django_db
NOON = MONDAY + timedelta(hours=3)


@pytest.fixture(autouse=True)
def closed_at_noon():
    """A cycle that would be due at six, closed at noon."""
    cycle_open_first(due_at=DUE)
    deliver("tasks", [assigned(), completed()])
    assert len(close(NOON, consumed=False, as_if_due=True)) == 1


def day(moment: datetime):
    [found] = days(business_date(moment), business_date(moment))
    return found


def late(client):
    """How many entries of the statement are called late."""
    return len(
        [badge for badge in page(client, f"/workers/{WILMA}").select("tbody .status-warn") if "late" in badge.text]
    )


def test_the_closed_cycle_was_due_when_it_was_closed_and_the_next_one_is_due_at_the_next_regular_time():
    closed, following = Cycle.objects.order_by("due_at")
    assert (closed.state, closed.due_at) == ("closed", NOON)
    assert (following.state, following.starts_at, following.due_at) == ("open", NOON, DUE)
    assert closed.id != following.id


def test_what_happens_afterwards_is_neither_late_nor_after_closing(browser):
    deliver("tasks", [assigned(task_id(2), time=NOON + timedelta(minutes=1))])
    assert day(MONDAY).afterwards.count == 0
    client = browser("finance")
    assert "after its cycle was closed" not in text(page(client, "/days/2026-03-02"))
    assert late(client) == 0


def test_once_the_regular_cycle_of_the_day_is_closed_too_what_comes_then_is_after_closing(browser):
    close(DUE)
    deliver("tasks", [assigned(task_id(2), time=NOON + timedelta(minutes=1))])
    assert day(MONDAY).afterwards.count == 1
    assert "after its cycle was closed" in text(page(browser("finance"), "/days/2026-03-02"))


def test_what_was_told_late_stays_late(browser):
    deliver("tasks", [assigned(task_id(2), time=NOON - timedelta(minutes=1))])
    assert late(browser("finance")) == 1


def test_closing_twice_a_day_leaves_a_ledger_that_adds_up():
    deliver("tasks", [assigned(task_id(2), time=NOON + timedelta(minutes=1)), completed(task_id(2))])
    close(NOON + timedelta(hours=1), consumed=False, as_if_due=True)
    close(DUE)
    assert [cycle.state for cycle in Cycle.objects.order_by("due_at")] == ["closed"] * 3 + ["open"]
    assert ledger_findings() == []


def test_the_command_leaves_the_dashboard_without_anything_after_closing(settings):
    settings.DEMO = True
    call_command("close_due_cycles", "--as-if-due")
    now = database_now()
    deliver("tasks", [assigned(task_id(2), time=now)])
    assert day(now).afterwards.count == 0
    assert Cycle.objects.get(state="open").due_at == next_due(now, zone=zone(), at=settings.BILLING_CYCLE_TIME)


def test_cycles_closed_within_a_minute_are_told_apart_by_their_seconds(browser):
    deliver("tasks", [completed(task_id(5), time=NOON)])
    close(NOON + timedelta(seconds=7), consumed=False, as_if_due=True)
    client = browser("finance")
    names = [row[0] for row in rows(page(client, "/cycles"))]
    assert names[1:] == ["2 Mar 2026, 13:00:07 CET", "2 Mar 2026, 13:00 CET"]
    latest = Cycle.objects.filter(state="closed").latest("due_at")
    assert "Cycle due 2 Mar 2026, 13:00:07 CET" in text(page(client, f"/cycles/{latest.id}").h1)
    assert "Mon 2 Mar, 13:00:07" in text(page(client, f"/tasks/{task_id(5)}"))
    payout = Transfer.objects.get(kind="payout", cycle=latest)
    assert "cycle due 2 Mar 2026, 13:00:07 CET was closed" in text(page(client, f"/entries/{payout.id}"))


def test_the_mails_and_files_of_cycles_closed_within_a_minute_name_each_by_its_seconds(browser):
    account(WILMA)
    for seconds in (7, 21):
        deliver("tasks", [completed(task_id(seconds), time=NOON)])
        close(NOON + timedelta(seconds=seconds), consumed=False, as_if_due=True)
    payout_mails_send(clock=database_now)
    called = ["2 Mar 2026, 13:00 CET", "2 Mar 2026, 13:00:07 CET", "2 Mar 2026, 13:00:21 CET"]
    assert sorted(called_by(message.body) for message in mail.outbox) == called
    client = browser("finance")
    exported = b"".join(client.get("/cycles/export?format=csv&sort=due").streaming_content).decode()
    assert [line.split(",")[0].lstrip("\ufeff") for line in exported.splitlines()[1:4]] == [
        "2026-03-02T13:00:00+01:00", "2026-03-02T13:00:07+01:00", "2026-03-02T13:00:21+01:00",
    ]  # fmt: skip
    names = [
        client.get(f"/cycles/{cycle.id}/export?format=csv")["Content-Disposition"]
        for cycle in Cycle.objects.filter(state="closed")
    ]
    assert len(set(names)) == 3


def called_by(body):
    """What a mail calls its cycle."""
    return re.search(r"The billing cycle of (.*) is closed", body)[1]
