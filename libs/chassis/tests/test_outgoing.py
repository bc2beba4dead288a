"""Effects are attempted once while a worker has them, and an outcome is written by whoever has the row."""

from datetime import UTC, datetime, timedelta

import pytest
from sample.models import SampleEffect

from chassis.outgoing import BATCH, ERROR_LENGTH, LEASE, NOT_YET, GiveUp, NotYet, Retry, attempt_due, claim, message_id

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
RETRY = Retry(first=timedelta(seconds=30), longest=timedelta(hours=6), attempts=3)


class Worker:
    """Sends what is due, by a clock that sending makes advance."""

    def __init__(self, now=START, takes=timedelta(0)):
        self.now, self.takes, self.sent, self.meanwhile = now, takes, [], {}

    def clock(self):
        return self.now

    def run(self):
        return attempt_due(SampleEffect, attempt=self.attempt, retry_after=RETRY, clock=self.clock)

    def attempt(self, row):
        self.sent.append(row.body)
        self.now += self.takes
        return self.meanwhile.get(row.body, lambda: "")() or ""


def effects(*bodies):
    return [SampleEffect.objects.create(body=body, next_attempt_at=START) for body in bodies]


def fails(error):
    def failing():
        raise error

    return failing


def test_a_run_longer_than_the_lease_sends_nothing_that_another_worker_sends():
    bodies = [f"{n:02}" for n in range(3 * BATCH)]
    effects(*bodies)
    first, second = Worker(takes=timedelta(minutes=2)), Worker()

    def beat():
        second.now = first.now
        second.run()

    for body in bodies:
        first.meanwhile[body] = beat
    first.run()
    assert sorted(first.sent + second.sent) == bodies


def test_a_slow_batch_keeps_its_rows_only_for_as_long_as_the_lease_without_a_sign_of_life():
    effects("a")
    assert len(claim(SampleEffect, limit=BATCH, due=START, until=START + LEASE)) == 1
    assert Worker(START + LEASE - timedelta(seconds=1)).run() == 0
    assert Worker(START + LEASE).run() == 1, "who crashed has its row sent by another"


def test_who_times_out_after_the_claim_ended_does_not_undo_what_another_worker_sent():
    effects("a")
    first, second = Worker(takes=2 * LEASE), Worker(START + 2 * LEASE)

    def time_out():
        assert second.run() == 1
        raise TimeoutError("nobody answers")

    first.meanwhile["a"] = time_out
    assert first.run() == 0
    row = SampleEffect.objects.get()
    assert (row.done_at, row.last_error, row.attempts) == (START + 2 * LEASE, "", 1)
    assert Worker(START + timedelta(days=9)).run() == 0


def test_what_worked_is_noted_although_another_worker_has_the_row_by_now():
    effects("a")
    first, second = Worker(takes=2 * LEASE), Worker(START + 2 * LEASE)
    first.meanwhile["a"] = lambda: claim(SampleEffect, limit=1, due=second.now, until=second.now + LEASE) and ""
    assert first.run() == 1
    assert SampleEffect.objects.get().done_at == START + 2 * LEASE
    assert Worker(START + timedelta(days=9)).run() == 0


@pytest.mark.parametrize("outcome", [lambda: "", fails(TimeoutError("nobody answers"))])
def test_an_address_forgotten_while_a_send_is_under_way_stays_forgotten(outcome):
    effects("a")
    worker = Worker()

    def send(row):
        row.address = "wilma@popug.example"
        SampleEffect.objects.update(address="", body="", next_attempt_at=None)
        return outcome()

    attempt_due(SampleEffect, attempt=send, retry_after=RETRY, clock=worker.clock)
    row = SampleEffect.objects.get()
    assert (row.address, row.body, row.next_attempt_at) == ("", "", None)


def test_a_row_withdrawn_before_its_turn_is_not_sent():
    effects("a", "b")
    worker = Worker()
    worker.meanwhile["a"] = lambda: SampleEffect.objects.filter(body="b").update(next_attempt_at=None) and ""
    assert worker.run() == 1
    assert worker.sent == ["a"]


def test_an_attempt_writes_the_columns_that_are_its_own():
    effects("a")

    def send(row):
        row.address, row.body = "wilma@popug.example", "changed"
        return ""

    attempt_due(SampleEffect, attempt=send, retry_after=RETRY, clock=lambda: START)
    row = SampleEffect.objects.get()
    assert (row.address, row.body, row.done_at) == ("wilma@popug.example", "a", START)


@pytest.mark.parametrize(
    "error", [ValueError("Header values can't contain newlines"), UnicodeError("\x00\udcff"), RuntimeError("x" * 999)]
)
def test_an_unforeseen_exception_is_a_failure_and_the_others_have_their_turn(error):
    effects("a", "b")
    worker = Worker()
    worker.meanwhile["a"] = fails(error)
    assert worker.run() == 1
    assert worker.sent == ["a", "b"]
    row = SampleEffect.objects.get(body="a")
    assert (row.attempts, row.next_attempt_at) == (1, START + timedelta(seconds=30))
    assert row.last_error.startswith(type(error).__name__)
    assert len(row.last_error) <= ERROR_LENGTH


def test_a_row_is_attempted_once_in_a_run_and_given_up_after_the_last_attempt():
    effects("a")
    now = START
    for attempts, next_attempt_at in ((1, timedelta(seconds=30)), (2, timedelta(seconds=60)), (3, None)):
        worker = Worker(now, takes=timedelta(hours=1))
        worker.meanwhile["a"] = lambda: "refused"
        assert worker.run() == 0
        assert worker.sent == ["a"]
        row = SampleEffect.objects.get()
        expected = next_attempt_at and worker.now + next_attempt_at
        assert (row.attempts, row.last_error, row.next_attempt_at) == (attempts, "refused", expected)
        now = row.next_attempt_at or now
    assert Worker(START + timedelta(days=9)).run() == 0


def test_what_is_not_there_yet_is_no_attempt_and_what_is_pointless_is_given_up():
    effects("a", "b")
    worker = Worker()
    worker.meanwhile = {"a": fails(NotYet("waits for an address")), "b": fails(GiveUp("too late"))}
    assert worker.run() == 0
    rows = SampleEffect.objects.order_by("id").values_list("attempts", "last_error", "next_attempt_at")
    assert list(rows) == [(0, "waits for an address", START + NOT_YET), (0, "too late", None)]


def test_what_failed_comes_after_what_is_new():
    effects("a", "b")
    SampleEffect.objects.filter(body="a").update(attempts=1)
    worker = Worker()
    worker.run()
    assert worker.sent == ["b", "a"]


def test_waits_double_up_to_the_longest():
    retry = Retry(first=timedelta(seconds=1), longest=timedelta(minutes=1))
    assert [retry(failed).total_seconds() for failed in (1, 2, 3, 7, 100_000)] == [1, 2, 4, 60, 60]


def test_a_message_id_names_what_it_is_about_at_the_host_of_the_sender(settings):
    settings.DEFAULT_FROM_EMAIL = "Task Tracker <no-reply@popug.example>"
    assert message_id("payout", 7) == "<payout.7@popug.example>"
