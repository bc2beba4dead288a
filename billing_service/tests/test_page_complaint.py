"""A complaint has an answer: the page of a task says what became of its reward, and why (B8)."""

from datetime import timedelta
from uuid import uuid4

import pytest

from billing.domain import Case, Evidence, case_of
from billing.models import TaskPrice, Transfer
from billing.services.adjustments import adjustment_post
from eventbus.dead_letters import discard
from eventbus.models import DeadLetter
from eventbus.testing import deliver
from tests.ledger import close
from tests.make import (
    BORIS,
    BOSS,
    MONDAY,
    WILMA,
    assigned,
    completed,
    fee,
    reopened,
    reward,
    task_id,
    task_state,
    unreadable,
)
from tests.pages import dollars, facts, page, rows, text

pytestmark = pytest.mark.django_db
TASK = task_id()


@pytest.fixture
def finance(browser):
    return browser("finance")


def answer(client, task=TASK, worker=None):
    """The case that the page names, and its sentence."""
    soup = page(client, f"/tasks/{task}" + (f"?worker={worker}" if worker else ""))
    said = soup.select_one("[data-case]")
    return said["data-case"], text(said)


class TestTheCase:
    def test_a_reward_that_was_earned_names_who_earned_it_and_when(self, finance, worked):
        case, said = answer(finance)
        assert case == "rewarded"
        assert "Wilma Weber earned it, 2 Mar 2026, 11:00 CET" in said

    def test_an_open_task_was_not_completed(self, finance, worked):
        assert answer(finance, task_id(2))[0] == "not completed"

    def test_somebody_else_completed_it(self, finance, worked):
        case, said = answer(finance, worker=BORIS)
        assert case == "completed by another"
        assert "For Boris Bauer: Completed by another: the reward went to Wilma Weber" in said

    def test_it_was_reopened(self, finance, worked):
        deliver("tasks", [reopened(actor=BOSS)])
        case, said = answer(finance, worker=WILMA)
        assert case == "reopened"
        assert "taken back; reopened by M. Braun, 12:00" in said

    def test_its_events_wait_in_dead_letters(self, finance, worked):
        deliver("tasks", [completed(task_id(2), account="nobody")])
        assert answer(finance, task_id(2))[0] == "waiting in dead letters"

    def test_its_completion_waits_for_a_release_that_can_read_it(self, finance, worked):
        deliver("tasks", [task_state(task_id(2), version=2, status="done", completion_no=1)])
        unreadable("tasks", task_id(2))
        assert answer(finance, task_id(2))[0] == "waiting in dead letters"
        assert "A version that is not known here" in text(page(finance, f"/tasks/{task_id(2)}").select_one("#letters"))

    def test_a_task_known_by_its_restored_price_alone_was_not_received(self, finance):
        TaskPrice.objects.create(task_id=TASK, fee=1100, reward=2200, key_id="old")
        assert answer(finance)[0] == "not received"
        deliver("tasks", [assigned()])
        assert answer(finance)[0] == "not completed"

    def test_the_completion_was_told_but_has_not_arrived(self, finance, worked):
        deliver("tasks", [task_state(task_id(2), version=2, status="done", completion_no=1)])
        case, said = answer(finance, task_id(2))
        assert case == "completion not received"
        assert "has not arrived" in said

    def test_a_task_that_is_not_known_was_not_received(self, finance):
        unknown = uuid4()
        case, said = answer(finance, unknown)
        assert case == "not received"
        assert "no event of this task has arrived" in said
        assert "No event received" in text(page(finance, f"/tasks/{unknown}"))

    def test_done_undone_done_is_rewarded_once_by_the_last(self, finance, worked):
        again = completed(no=2, account=BORIS, time=MONDAY + timedelta(hours=3))
        deliver("tasks", [reopened(actor=BOSS), again])
        assert "Boris Bauer earned it" in answer(finance)[1]
        assert answer(finance, worker=WILMA)[0] == "completed by another"

    def test_what_the_ledger_has_decides_before_what_is_only_told(self):
        known = {"received": True, "completions": 1, "earnings": 1, "standing": WILMA, "letters": True}
        assert case_of(Evidence(**known), worker_id=WILMA) is Case.REWARDED
        assert case_of(Evidence(**known), worker_id=BORIS) is Case.DEAD_LETTERS


class TestTheEvidence:
    def test_the_price_is_shown(self, finance, worked):
        found = facts(page(finance, f"/tasks/{TASK}"))
        assert (found["Fee"], found["Reward"]) == (dollars(fee(TASK)), dollars(reward(TASK)))

    def test_each_entry_has_worker_cause_cycle_and_payout(self, finance, worked):
        close()
        soup = page(finance, f"/tasks/{TASK}")
        paid = f"in {dollars(reward(TASK) - fee(TASK))}"
        found = rows(soup.select_one("#entries"))
        assert sorted((row[1], row[2], row[3], row[4], row[5]) for row in found) == [
            (
                "Wilma Weber",
                "Fee assigned at creation by M. Braun, 10:00",
                "Mon 2 Mar, 18:00",
                paid,
                dollars(-fee(TASK)),
            ),
            (
                "Wilma Weber",
                "Reward completed by W. Weber, 11:00",
                "Mon 2 Mar, 18:00",
                paid,
                f"+{dollars(reward(TASK))}",
            ),
        ]

    def test_money_that_is_not_paid_yet_or_is_carried_over_says_so(self, finance, worked):
        other = f"/tasks/{task_id(2)}"
        assert rows(page(finance, other).select_one("#entries"))[0][4] == "not yet"
        close()
        assert rows(page(finance, other).select_one("#entries"))[0][4] == "carried over"

    def test_the_events_received_are_listed_with_their_time_and_effect(self, finance, worked):
        received = MONDAY + timedelta(hours=5)
        late = completed(no=2, time=MONDAY + timedelta(hours=3))
        object.__setattr__(late, "received_at", received)
        deliver("tasks", [reopened(actor=BOSS), late])
        found = rows(page(finance, f"/tasks/{TASK}").select_one("#events"))
        assert {row[1] for row in found} == {
            "TaskAssigned no. 1", "TaskCompleted no. 1", "TaskReopened no. 1", "TaskCompleted no. 2",
            "TaskUpdated version 1, the latest",
        }  # fmt: skip
        late_row = next(row for row in found if row[1] == "TaskCompleted no. 2")
        assert late_row[0] == "2 Mar 2026, 15:00 CET"
        assert late_row[2:] == ["2 Mar 2026, 13:00 CET", f"Reward +{dollars(reward(TASK))}"]

    @pytest.mark.parametrize("late", [False, True])
    def test_the_creation_is_among_the_events_received_also_when_it_comes_late(self, finance, worked, late):
        task = task_id(9)
        events = [task_state(task, name="TaskCreated"), task_state(task, version=2)]
        for event in reversed(events) if late else events:
            deliver("tasks", [event])
        found = rows(page(finance, f"/tasks/{task}").select_one("#events"))
        assert sorted(row[1] for row in found) == ["TaskCreated", "TaskUpdated version 2, the latest"]

    def test_the_events_of_many_entries_say_that_they_are_those_of_the_page(self, finance, worked):
        said = "Those behind the entries of this page"
        assert said not in text(page(finance, f"/tasks/{TASK}"))
        deliver("tasks", [assigned(no=number, account=WILMA) for number in range(2, 53)])
        assert said in text(page(finance, f"/tasks/{TASK}"))

    def test_an_open_dead_letter_is_listed_with_its_reason_in_words(self, finance, worked):
        deliver("tasks", [completed(task_id(2), account="nobody")])
        soup = page(finance, f"/tasks/{task_id(2)}")
        [letter] = rows(soup.select_one("#letters"))
        stored = DeadLetter.objects.get()
        assert letter[1:] == [f"TaskCompleted #{stored.pk}", "dead", "Failed when it was applied"]
        assert soup.select_one(f"#letters a[href='/dead-letters/{stored.pk}/']")
        assert stored.error
        assert stored.error not in text(soup)

    def test_a_settled_letter_says_why_it_was_set_aside_and_leads_nowhere(self, finance, worked):
        deliver("tasks", [completed(task_id(2), account="nobody")])
        stored = DeadLetter.objects.get()
        discard(stored.pk, by="system", reason="The account never was.")
        soup = page(finance, f"/tasks/{task_id(2)}").select_one("#letters")
        [letter] = rows(soup)
        assert letter[1:] == [
            f"TaskCompleted #{stored.pk}", "discarded", "Failed when it was applied · The account never was.",
        ]  # fmt: skip
        assert not soup.select("a")

    def test_an_entry_keeps_the_event_that_caused_it(self, worked):
        event = completed(task_id(3))
        deliver("tasks", [event])
        entry = Transfer.objects.get(task_id=task_id(3))
        assert entry.event_id == event.id
        assert entry.received_at is not None
        assert entry.received_at <= entry.recorded_at

    def test_a_correction_that_names_the_task_stands_among_its_entries(self, finance, worked):
        adjustment_post(
            form_key=uuid4(), account_id=BORIS, amount=500, credit=True, reason="Helped with the cage.",
            actor_id=BOSS, now=MONDAY, task_id=TASK,
        )  # fmt: skip
        found = rows(page(finance, f"/tasks/{TASK}").select_one("#entries"))
        assert found[0][1] == "Boris Bauer"
        assert "Helped with the cage." in found[0][2]

    def test_an_unknown_filter_is_an_error(self, finance, worked):
        for wrong in ("worker=wilma", "who=x", "sort=amount"):
            assert finance.get(f"/tasks/{TASK}?{wrong}").status_code == 400
