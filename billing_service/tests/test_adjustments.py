"""Corrections are transfers of their own: with a reason and an actor, never income, taken back once."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from prometheus_client import REGISTRY

from billing.domain import Company, LedgerError, PayloadConflict
from billing.models import LedgerAccount, Transfer
from billing.selectors.ledger_check import ledger_findings
from billing.services.adjustments import adjustment_post, adjustment_reverse
from eventbus.testing import deliver, published
from tests.ledger import balances, close
from tests.make import BORIS, BOSS, DUE, MONDAY, NINA, WILMA, account, completed, open_cycle, reward, task_id

pytestmark = pytest.mark.django_db
REASON = "The reward of last week was lost."


@pytest.fixture(autouse=True)
def cycle():
    account(WILMA)
    account(BORIS, name="Boris Bauer")
    return open_cycle()


def correct(amount=1050, *, credit=True, form_key=None, **given):
    fields = {"account_id": WILMA, "reason": REASON, "actor_id": BOSS, "now": MONDAY}
    return adjustment_post(form_key=form_key or uuid4(), amount=amount, credit=credit, **{**fields, **given})


@pytest.mark.parametrize("credit", [True, False])
def test_a_correction_pays_to_or_takes_from_a_worker(credit):
    entry = Transfer.objects.get(id=correct(credit=credit, task_id=task_id()))
    assert entry.change == (1050 if credit else -1050)
    assert {entry.debit_id, entry.credit_id} == {WILMA, Company.CORRECTIONS}
    assert (entry.kind, entry.reason, entry.actor_id, entry.task_id) == ("adjustment", REASON, str(BOSS), task_id())
    assert [event.data["kind"] for event in published("TransactionPosted")] == ["adjustment"]
    assert ledger_findings() == []


def test_a_form_sent_twice_books_once():
    key = uuid4()
    assert correct(form_key=key) == correct(form_key=key, now=DUE)
    assert balances() == {WILMA: 1050}


@pytest.mark.parametrize(
    "other", [{"amount": 999}, {"credit": False}, {"reason": "Another reason."}, {"account_id": BORIS}]
)
def test_the_same_key_with_another_content_is_refused_with_an_alarm(other):
    key = uuid4()
    correct(form_key=key)
    alarms = REGISTRY.get_sample_value("billing_payload_conflicts_total")
    with pytest.raises(PayloadConflict), transaction.atomic():
        correct(form_key=key, **other)
    assert REGISTRY.get_sample_value("billing_payload_conflicts_total") == alarms + 1
    assert balances() == {WILMA: 1050}


def test_a_correction_is_paid_with_the_cycle():
    deliver("tasks", [completed()])
    correct()
    close()
    assert Transfer.objects.get(kind="payout").amount == reward(task_id()) + 1050


def test_a_wrong_correction_is_taken_back_once_by_its_opposite():
    wrong = correct()
    key = uuid4()
    given = {"transfer_id": wrong, "reason": "It was the wrong worker.", "actor_id": BOSS, "now": MONDAY}
    opposite = adjustment_reverse(form_key=key, **given)
    assert adjustment_reverse(form_key=key, **given) == opposite
    entry = Transfer.objects.get(id=opposite)
    assert (entry.change, entry.reverses) == (-1050, wrong)
    assert balances() == {WILMA: 0}
    with pytest.raises(LedgerError, match="taken back before"):
        adjustment_reverse(form_key=uuid4(), **given)
    with pytest.raises(LedgerError, match="only a correction"):
        adjustment_reverse(form_key=uuid4(), **{**given, "transfer_id": opposite})
    assert ledger_findings() == []


def test_a_reward_is_not_taken_back_by_a_correction():
    deliver("tasks", [completed()])
    earning = Transfer.objects.get().id
    with pytest.raises(LedgerError, match="only a correction"):
        adjustment_reverse(form_key=uuid4(), transfer_id=earning, reason=REASON, actor_id=BOSS, now=MONDAY)


@pytest.mark.parametrize("wrong", [{"amount": 0}, {"amount": -5}, {"amount": 100_001}, {"reason": "too short"}])
def test_an_amount_or_a_reason_out_of_bounds_is_refused(wrong):
    with pytest.raises(LedgerError):
        correct(**wrong)
    assert not LedgerAccount.objects.exists()


def test_nobody_posts_on_the_own_account():
    with pytest.raises(LedgerError, match="own account"):
        correct(actor_id=WILMA)
    wrong = correct()
    with pytest.raises(LedgerError, match="own account"):
        adjustment_reverse(form_key=uuid4(), transfer_id=wrong, reason=REASON, actor_id=WILMA, now=MONDAY)
    assert balances() == {WILMA: 1050}


@pytest.mark.parametrize("role", ["manager", "admin", "finance", ""])
def test_a_correction_is_for_workers_and_for_whoever_has_a_ledger_account(role):
    account(NINA, name="Nina Novak", role=role)
    with pytest.raises(LedgerError, match="for a worker"):
        correct(account_id=NINA)
    assert not LedgerAccount.objects.exists()
    deliver("tasks", [completed(account=NINA)])
    correct(account_id=NINA)
    assert balances() == {NINA: reward(task_id()) + 1050}


def test_a_worker_who_left_without_an_entry_can_be_corrected():
    account(NINA, name="Nina Novak", is_active=False)
    correct(account_id=NINA)
    assert balances() == {NINA: 1050}


def test_the_database_refuses_a_correction_without_actor_or_reason():
    copy = Transfer.objects.get(id=correct())
    copy.id, copy.idempotency_key, copy.entry_no, copy.actor_id = uuid4(), "x", 2, "system"
    with pytest.raises(IntegrityError, match="adjustment_has_actor_and_reason"), transaction.atomic():
        copy.save(force_insert=True)
