"""Why an entry is there, in the words of the statement: each kind and cause (B2, T7)."""

from datetime import timedelta
from uuid import uuid4

import pytest

from billing.models import Transfer
from billing.services.adjustments import adjustment_post, payout_return
from billing.web.wording import BY_SOMEBODY
from eventbus.testing import deliver
from tests.ledger import close
from tests.make import BOSS, MONDAY, WILMA, assigned, reopened
from tests.pages import page, rows

pytestmark = pytest.mark.django_db
LATER = MONDAY + timedelta(hours=4, minutes=2)  # 14:02 in Berlin
REASON = "The account was wrong."
BY_HAND = {"actor_id": BOSS, "now": LATER, "reason": REASON}
TASK = "POPUG-42 · Wash the cage"


def fee(cause):
    deliver("tasks", [assigned(no=2, cause=cause, time=LATER, actor="system" if cause in SYSTEMS else BOSS)])


def reversal(cause):
    deliver("tasks", [reopened(cause=cause, time=LATER)])


def returned(cause):
    close()
    payout_return(transfer_id=Transfer.objects.get(kind="payout").id, **BY_HAND)


def corrected(cause):
    adjustment_post(form_key=uuid4(), amount=100, credit=True, account_id=WILMA, **BY_HAND)


SYSTEMS = {"left", "waited", "crossed"}
# kind and cause -> what makes the entry, and what the statement says of it.
WORDS = {
    ("fee", "reassigned"): (fee, f"{TASK} all tasks reassigned by M. Braun, 14:02"),
    ("fee", "left"): (fee, f"{TASK} drawn anew, the assignee left, 14:02"),
    ("fee", "reopened"): (fee, f"{TASK} drawn anew at reopening by M. Braun, 14:02"),
    ("fee", "waited"): (fee, f"{TASK} assigned after waiting for a worker, 14:02"),
    ("fee", "crossed"): (fee, f"{TASK} drawn anew, the assignment crossed a deactivation, 14:02"),
    ("fee", "created"): (fee, f"{TASK} assigned at creation by M. Braun, 14:02"),
    ("earning", ""): (None, f"{TASK} completed by W. Weber, 11:00"),
    ("reversal", "undone"): (reversal, f"{TASK} done was undone by M. Braun, 14:02"),
    ("reversal", "reopened"): (reversal, f"{TASK} reopened by M. Braun, 14:02"),
    ("payout_return", ""): (returned, f"{REASON} the payout came back, entered by M. Braun, "),
    ("adjustment", ""): (corrected, f"{REASON} corrected by M. Braun, 14:02"),
}


def test_each_cause_that_pages_know_has_its_words_here():
    assert set(BY_SOMEBODY) == set(WORDS)


@pytest.mark.parametrize(("kind", "cause"), WORDS)
def test_the_statement_says_why_in_words(browser, worked, kind, cause):
    make, words = WORDS[kind, cause]
    if make:
        make(cause)
    newest = rows(page(browser("finance"), f"/workers/{WILMA}"))[0]
    assert newest[2].startswith(words) if words.endswith(" ") else newest[2] == words
    assert Transfer.objects.filter(account_id=WILMA).latest("entry_no").kind == kind
