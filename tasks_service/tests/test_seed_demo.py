from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection

from chassis import business_time
from chassis.demo import Turns, business_days
from eventbus.testing import clear_outbox, published
from tasks.models import Delivery, Notification, Reassignment, ReassignmentShare, Task, TaskHistory

from .support.people import person
from .support.work import price

pytestmark = pytest.mark.django_db
THURSDAY, FRIDAY = date(2026, 3, 5), date(2026, 3, 6)
LATER = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def people(settings):
    settings.DEMO = True
    person("admin", "Ada Adler"), person("manager", "Max Braun"), person("finance", "Fatima Finke")
    return [person("worker", f"Worker {n}") for n in range(5)]


def seed(*days: date, now: datetime = LATER) -> None:
    with time_machine.travel(now, tick=False):
        for day in days:
            call_command("seed_demo", "--day", day.isoformat(), verbosity=0)


def test_a_day_is_worked_through_between_eight_and_half_past_five(people):
    seed(FRIDAY)
    moments = [business_time.in_zone(event.time) for event in published()]
    assert {moment.date() for moment in moments} == {FRIDAY}
    assert min(moments).hour >= 8
    assert (max(moments).hour, max(moments).minute) <= (17, 31)
    assert 8 <= Task.objects.count() <= 14


def test_what_is_reassigned_is_of_other_days_and_has_its_price(people):
    seed(THURSDAY)
    for task in Task.objects.all():
        price(task)
    seed(FRIDAY)
    run = Reassignment.objects.get()
    assert run.task_count > 0
    assert run.unpriced_count == 0


def test_two_weeks_have_everything_that_a_demo_shows(people):
    seed(*[date(2026, 3, day) for day in (2, 3, 4, 5, 6, 9, 10, 11, 12, 13)])
    kinds = Counter(TaskHistory.objects.values_list("kind", flat=True))
    assert Task.objects.count() > 80
    assert kinds["done"] > 70
    assert kinds["reopened"] >= 3
    assert kinds["undone"] >= 2
    assert kinds["edited"] >= 3
    assert Reassignment.objects.count() == 4
    by_leaders = TaskHistory.objects.filter(kind="done").exclude(actor_id__in=[worker.pk for worker in people])
    assert by_leaders.count() >= 3
    assert Task.objects.exclude(jira_id="").exists()
    assert Task.objects.filter(jira_id="").exists()
    assert 0 < Task.objects.filter(status="open").count() < 60


def test_today_is_worked_through_up_to_now(people):
    noon = datetime(2026, 3, 6, 11, tzinfo=UTC)
    seed(FRIDAY, now=noon)
    assert published()
    assert max(event.time for event in published()) <= noon


def test_the_same_day_twice_is_seeded_once(people):
    seed(FRIDAY)
    before = len(published())
    seed(FRIDAY)
    assert len(published()) == before


def test_the_same_day_brings_the_same_titles(people):
    seed(FRIDAY)
    first = list(Task.objects.order_by("id").values_list("id", "title", "jira_id", "created_at"))
    for kept in (Notification, Delivery, ReassignmentShare, Reassignment, TaskHistory, Task):
        kept.objects.all().delete()
    seed(FRIDAY)
    assert list(Task.objects.order_by("id").values_list("id", "title", "jira_id", "created_at")) == first


def test_a_task_is_done_late_although_none_was_left(people):
    call_command("seed_demo", "--late", FRIDAY.isoformat(), verbosity=0)
    [late] = published("TaskCompleted")
    assert business_time.format_when(late.time).startswith("6 Mar 2026, 17:45")
    assert not Delivery.objects.filter(done_at=None).exists()


def test_a_day_can_get_a_late_completion_before_its_closing_time(people):
    seed(FRIDAY)
    done = Task.objects.filter(status="done").count()
    call_command("seed_demo", "--late", FRIDAY.isoformat(), verbosity=0)
    assert Task.objects.filter(status="done").count() == done + 1
    late = published("TaskCompleted")[-1].time
    assert business_time.format_when(late).startswith("6 Mar 2026, 17:45")


def test_messages_of_the_past_went_out_then_and_are_not_sent_now(people):
    seed(FRIDAY)
    assert not Notification.objects.filter(composed_at__isnull=True).exists()
    assert {delivery.state for delivery in Delivery.objects.all()} == {"sent"}
    assert {business_time.business_date(delivery.done_at) for delivery in Delivery.objects.all()} == {FRIDAY}
    assert not Delivery.objects.filter(done_at__isnull=True).exists()


def test_a_weekend_is_quiet_but_not_empty(people):
    seed(date(2026, 3, 7))
    assert 2 <= Task.objects.count() <= 3


def test_without_accounts_or_outside_the_demo_it_says_so(settings):
    settings.DEMO = True
    with pytest.raises(CommandError, match="no accounts yet"):
        seed(FRIDAY)
    settings.DEMO = False
    with pytest.raises(CommandError, match="DEMO"):
        seed(FRIDAY)


@pytest.fixture
def turns(settings):
    """With notes of this test's own."""
    settings.EVENTBUS = settings.EVENTBUS | {"TOPIC_PREFIX": f"{uuid4()}-"}
    return Turns()


@pytest.mark.django_db(transaction=True)
def test_history_is_told_day_by_day_as_billing_settles_it_and_goes_on_where_it_stood(people, turns):
    days, told = business_days(date(2031, 3, 6)), []
    for day in days[:-2]:
        turns.note("settled", day)

    def relay_and_billing():
        turns.note("opened", days[0])
        for day in days[-2:]:
            while not turns.noted("told", day):
                clear_outbox()
            told.append({business_time.business_date(task.created_at) for task in Task.objects.all()})
            turns.note("settled", day)
        connection.close()

    with time_machine.travel(datetime(2031, 3, 6, 12, tzinfo=UTC)), ThreadPoolExecutor() as pool:
        others = pool.submit(relay_and_billing)
        call_command("seed_demo", "--history", verbosity=0)
        others.result()
    assert told == [set(days[-2:-1]), set(days[-2:])]
    assert Task.objects.filter(created_at__date="2031-03-06").exists()
    turns.end()
    with time_machine.travel(datetime(2031, 3, 7, 12, tzinfo=UTC)):
        call_command("seed_demo", "--history", verbosity=0)
    assert Task.objects.filter(created_at__date="2031-03-07").exists()
