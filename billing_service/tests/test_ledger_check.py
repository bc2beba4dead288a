"""Each kind of damage that an owner of the database can do is found."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from structlog.testing import capture_logs

from billing.jobs import check_ledger
from billing.models import Cycle, LedgerCheck, Transfer
from billing.selectors.clock import database_now
from billing.selectors.ledger_check import CHECKS, ledger_findings
from billing.services.adjustments import adjustment_post, payout_return
from billing.services.checks import ledger_check_nightly
from billing.services.cycles import cycles_close_due
from eventbus.testing import deliver
from tests.make import (
    BORIS,
    BOSS,
    DUE,
    WILMA,
    assigned,
    completed,
    open_cycle,
    reopened,
    task_id,
    task_state,
    unreadable,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def ledger():
    """Two workers, a closed cycle with payouts, and an open one."""
    open_cycle()
    for number in range(1, 6):
        worker = WILMA if number % 2 else BORIS
        deliver("tasks", [assigned(task_id(number), account=worker), completed(task_id(number), account=worker)])
    cycles_close_due(now=DUE, consumed=lambda moment: True)
    late = DUE + timedelta(hours=1)
    deliver(
        "tasks", [assigned(task_id(6), time=late), completed(task_id(6), time=late), reopened(task_id(6), time=late)]
    )


def rules():
    return {finding.rule for finding in ledger_findings()}


def damage(statement):
    """As the owner, past the constraints that would refuse it."""
    with connection.cursor() as cursor:
        # The closings of this transaction gave locks up after a second; autovacuum steps aside after one.
        cursor.execute("SET LOCAL lock_timeout = 0; SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "SELECT conrelid::regclass, conname FROM pg_constraint WHERE conrelid::regclass::text LIKE 'billing_%'"
            " AND contype IN ('f', 'c')"
        )
        for table, name in cursor.fetchall():
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        cursor.execute(statement)


@pytest.mark.usefixtures("ledger")
class TestDamage:
    def test_an_undamaged_ledger_has_no_findings(self, capsys):
        assert ledger_findings() == []
        call_command("ledger_check")
        assert capsys.readouterr().out.count("ok  ") == len(CHECKS)

    @pytest.mark.parametrize(
        ("statement", "rule"),
        [
            ("UPDATE billing_transfer SET debit_id = credit_id WHERE kind = 'fee'", "one debit and one credit"),
            ("UPDATE billing_transfer SET debit_id = gen_random_uuid() WHERE kind = 'earning'", "debits equal credits"),
            ("UPDATE billing_transfer SET kind = 'gift' WHERE kind = 'fee'", "one debit and one credit"),
            ("UPDATE billing_transfer SET amount = -amount WHERE kind = 'fee'", "one debit and one credit"),
            ("UPDATE billing_transfer SET amount = amount + 100 WHERE kind = 'earning'", "account rows"),
            ("UPDATE billing_transfer SET amount = amount + 100 WHERE kind = 'fee'", "price"),
            ("DELETE FROM billing_transfer WHERE occurred_at > '2026-03-02 17:30Z'", "account rows"),
            ("UPDATE billing_ledgeraccount SET balance = balance + 1", "account rows"),
            ("UPDATE billing_ledgeraccount SET entry_no = entry_no + 1", "account rows"),
            ("UPDATE billing_transfer SET balance_after = 0 WHERE kind = 'fee'", "balance after"),
            ("UPDATE billing_transfer SET entry_no = entry_no + 100 WHERE kind = 'payout'", "balance after"),
            ("UPDATE billing_accountday SET sum = sum + 1 WHERE kind = 'fee'", "rollup"),
            ("UPDATE billing_accountday SET count = count + 1", "rollup"),
            ("DELETE FROM billing_accountday WHERE kind = 'payout'", "rollup"),
            ("DELETE FROM billing_payout", "payouts equal"),
            ("UPDATE billing_payout SET amount = amount - 1", "payouts equal"),
            ("UPDATE billing_cycle SET payout_sum = payout_sum + 1 WHERE state = 'closed'", "payouts equal"),
            ("UPDATE billing_cycle SET payout_count = 0 WHERE state = 'closed'", "payouts equal"),
            ("DELETE FROM billing_payout; DELETE FROM billing_transfer WHERE kind = 'payout'", "nothing is owed"),
            ("UPDATE billing_cycle SET state = 'closed' WHERE state = 'open'", "one cycle is open"),
            ("UPDATE billing_cycle SET due_at = due_at + interval '9 d' WHERE state = 'closed'", "one cycle is open"),
            ("UPDATE billing_transfer SET cycle_id = gen_random_uuid() WHERE kind = 'fee'", "one cycle is open"),
            ("UPDATE billing_cycle SET hash = repeat('0', 64) WHERE state = 'closed'", "hash chain"),
            ("UPDATE billing_transfer SET recorded_at = now() WHERE kind = 'payout'", "hash chain"),
            ("UPDATE billing_transfer SET business_date = business_date - 1 WHERE kind = 'payout'", "hash chain"),
            ("UPDATE billing_transfer SET actor_id = 'me' WHERE kind = 'reversal'", "posted as"),
            ("UPDATE billing_transfer SET occurred_at = now() WHERE kind = 'reversal'", "posted as"),
            ("UPDATE billing_transfer SET business_date = business_date + 9 WHERE kind = 'reversal'", "posted as"),
            ("UPDATE billing_transfer SET idempotency_key = 'x' || idempotency_key WHERE kind = 'fee'", "posted as"),
            ("UPDATE billing_taskprice SET fee = fee + 100", "what their key draws"),
            ("UPDATE billing_taskprice SET reward = reward + 100", "amounts are"),
            ("UPDATE billing_taskprice SET key_id = 'lost'", "what their key draws"),
            ("DELETE FROM billing_taskprice", "amounts are"),
            ("UPDATE billing_transfer SET reverses = gen_random_uuid() WHERE kind = 'reversal'", "has its original"),
        ],
    )  # fmt: skip
    def test_damage_is_found(self, statement, rule, capsys):
        damage(statement)
        assert any(rule in found for found in rules())
        with pytest.raises(CommandError) as raised:
            call_command("ledger_check")
        assert raised.value.returncode == 1
        assert "FAIL" in capsys.readouterr().out

    def test_an_entry_moved_into_another_cycle_breaks_the_chain(self):
        first, second = Cycle.objects.order_by("due_at")
        damage(f"UPDATE billing_transfer SET cycle_id = '{second.id}' WHERE kind = 'fee' AND cycle_id = '{first.id}'")
        assert any("hash chain" in rule for rule in rules())

    def test_a_later_cycle_notices_that_an_earlier_hash_was_made_anew(self):
        following = Cycle.objects.get(state="open")
        cycles_close_due(now=following.due_at, consumed=lambda moment: True)
        damage("UPDATE billing_cycle SET hash = repeat('a', 64) WHERE due_at = (SELECT min(due_at) FROM billing_cycle)")
        texts = [finding.text for finding in ledger_findings() if "hash chain" in finding.rule]
        assert len(texts) == 2

    def test_a_long_list_of_findings_is_cut(self, capsys):
        damage(
            "INSERT INTO billing_ledgeraccount (id, balance) SELECT gen_random_uuid(), 1 FROM generate_series(1, 60)"
        )
        with pytest.raises(CommandError, match="60 findings"):
            call_command("ledger_check")
        assert "and 10 more" in capsys.readouterr().out


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_transfer SET actor_id = 'system' WHERE kind = 'payout_return'",
        "UPDATE billing_transfer SET reason = 'short' WHERE kind = 'adjustment'",
        "UPDATE billing_transfer SET about = gen_random_uuid() WHERE kind = 'adjustment'",
        "UPDATE billing_transfer SET about = id WHERE kind = 'earning'",
    ],
)
@pytest.mark.usefixtures("ledger")
def test_what_finance_posted_without_actor_reason_or_entry_is_found(statement):
    payout = Transfer.objects.filter(kind="payout").first()
    given = {"actor_id": BOSS, "now": DUE, "reason": "It came back from the bank."}
    payout_return(transfer_id=payout.id, **given)
    adjustment_post(form_key=uuid4(), account_id=payout.account_id, amount=100, credit=True, about=payout.id, **given)
    assert ledger_findings() == []
    damage(statement)
    assert "what finance posted has an actor, a reason and its entry" in rules()


def test_a_reversal_without_its_original_is_found():
    deliver("tasks", [reopened()])
    assert rules() == {"a reversal has its original"}


class TestNightly:
    NIGHT = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)  # three o'clock in Berlin

    def ran(self, *, at):
        """A run, as if it had been then."""
        LedgerCheck.objects.create(finished_at=at, findings=0)

    def test_it_runs_once_a_night_by_whomever(self, settings):
        settings.CELERY_TASK_ALWAYS_EAGER = True
        check_ledger()
        check_ledger()
        assert LedgerCheck.objects.count() == 1
        call_command("ledger_check")
        assert LedgerCheck.objects.count() == 2

    def test_the_one_of_the_night_before_does_not_count(self):
        self.ran(at=self.NIGHT - timedelta(minutes=1))
        assert ledger_check_nightly(now=self.NIGHT)

    @pytest.mark.parametrize("later", [timedelta(0), timedelta(hours=23)])
    def test_one_since_three_counts_until_the_next_night(self, later):
        self.ran(at=self.NIGHT)
        assert not ledger_check_nightly(now=self.NIGHT + later)

    @pytest.mark.usefixtures("ledger")
    def test_what_it_finds_is_kept_and_told(self):
        damage("UPDATE billing_accountday SET count = count + 1")
        with capture_logs() as lines:
            ledger_check_nightly(now=database_now())
        assert LedgerCheck.objects.get().findings > 0
        assert [line["event"] for line in lines] == ["ledger_check_failed"]

    def test_the_command_keeps_what_it_found_and_lost_events_are_not_among_it(self):
        deliver("tasks", [task_state(task_id(9), assignment_no=3)])
        with pytest.raises(CommandError, match="3 findings"):
            call_command("ledger_check", "--complete")
        assert LedgerCheck.objects.get().findings == 0


class TestComplete:
    def check(self, capsys):
        try:
            call_command("ledger_check", "--complete")
        except CommandError:
            return [line.strip() for line in capsys.readouterr().out.splitlines() if line.startswith("      ")]
        capsys.readouterr()
        return []

    def test_all_events_of_a_task_that_was_done_twice_are_expected(self, capsys):
        task = task_id()
        deliver("tasks", [task_state(assignment_no=2, completion_no=2, status="done", version=6)])
        expected = [
            f"fee:{task}:1",
            f"fee:{task}:2",
            f"earning:{task}:1",
            f"earning:{task}:2",
            f"reversal:earning:{task}:1",
        ]
        assert set(self.check(capsys)) == {f"{key} is missing" for key in expected}
        events = [assigned(no=1), assigned(no=2), completed(no=1), completed(no=2), reopened(no=1)]
        for event in events:
            deliver("tasks", [event])
        assert self.check(capsys) == []

    def test_the_standing_completion_of_an_open_task_is_reversed_too(self, capsys):
        deliver("tasks", [task_state(assignment_no=0, completion_no=1), completed()])
        assert self.check(capsys) == [f"reversal:earning:{task_id()}:1 is missing"]

    def test_an_entry_that_the_task_does_not_know_is_found(self, capsys):
        deliver("tasks", [task_state(assignment_no=0), assigned()])
        assert self.check(capsys) == [f"fee:{task_id()}:1 is posted, the task knows nothing of it"]

    def test_a_task_whose_state_never_came_is_found(self, capsys):
        deliver("tasks", [assigned()])
        assert f"task {task_id()}: its state was never received" in self.check(capsys)

    def test_a_counter_that_cannot_be_is_found_in_no_time(self, capsys):
        deliver("tasks", [task_state(assignment_no=2**62)])
        found = self.check(capsys)
        assert found == [f"task {task_id()}: it counts {2**62} assignments and 0 completions, which cannot be"]

    def test_open_dead_letters_are_named_as_the_reason(self, capsys):
        deliver("tasks", [task_state(assignment_no=1), assigned(account="nobody")])
        [finding] = self.check(capsys)
        assert finding.startswith(f"fee:{task_id()}:1 is missing (dead letters: #")
        assert "TaskAssigned dead" in finding

    def test_a_record_that_cannot_be_read_is_named_by_its_key(self, capsys):
        deliver("tasks", [task_state(assignment_no=1)])
        unreadable("tasks", task_id())
        [finding] = self.check(capsys)
        assert finding.startswith(f"fee:{task_id()}:1 is missing (dead letters: #")
        assert "unreadable dead: unknown_version" in finding
