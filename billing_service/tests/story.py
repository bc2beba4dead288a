"""One story with a ledger in every state, for tests that look at all pages."""

from datetime import timedelta
from uuid import uuid4

import pytest

from billing.models import Cycle, Payout, Transfer
from billing.selectors.clock import database_now
from billing.services.adjustments import adjustment_post, adjustment_reverse, payout_return
from chassis.business_time import business_date
from eventbus.dead_letters import discard
from eventbus.models import DeadLetter
from eventbus.testing import deliver, set_aside
from tests.ledger import close
from tests.make import BORIS, BOSS, NINA, WILMA, account, assigned, completed, open_cycle, reopened, task_id, task_state


@pytest.fixture
def story(db):
    """A closed day with a late event, one that goes on, a debt, corrections, a payout that came back, a dead letter."""
    now = database_now()
    yesterday = now - timedelta(days=1)
    cycle = open_cycle(now - timedelta(hours=6))
    account(WILMA)
    account(BORIS, name="Boris Bauer", is_active=False)
    account(NINA, name="Nina Novak")
    account(BOSS, name="Max Braun", role="manager")
    third = task_id(3)
    deliver("tasks", [
        task_state(name="TaskCreated"), task_state(task_id(2), title="Feed the rare hyacinth macaw", jira_id=None),
        task_state(third, title="اغسل القفص =cmd() <script>alert(1)</script>", jira_id="POPUG-7"),
        assigned(time=yesterday), completed(time=yesterday + timedelta(minutes=5)),
        assigned(task_id(2), account=BORIS, cause="reassigned", time=yesterday),
        assigned(third, time=yesterday), completed(third, time=yesterday), reopened(third, time=yesterday),
        completed(task_id(6), time=yesterday), completed(task_id(7), time=yesterday),
        completed(task_id(9), account=NINA, time=yesterday),
    ])  # fmt: skip
    close(now)
    given = {"account_id": WILMA, "actor_id": BOSS, "now": now}
    wrong = adjustment_post(form_key=uuid4(), amount=1250, credit=True, reason="The reward was lost.", **given)
    right = adjustment_post(
        form_key=uuid4(), amount=300, credit=False, reason="Broke the feeder.", task_id=task_id(), **given
    )
    again = {"reason": "It was the wrong worker.", "actor_id": BOSS, "now": now}
    adjustment_reverse(form_key=uuid4(), transfer_id=wrong, **again)
    payout = Transfer.objects.get(kind="payout", account_id=WILMA)
    payout_return(transfer_id=payout.id, **again)
    deliver("tasks", [
        completed(no=2, time=yesterday), assigned(task_id(4), time=now), completed(task_id(5), account="nobody"),
    ])  # fmt: skip
    discard(set_aside("tasks", assigned(task_id(12), time=now)).pk, by=str(BOSS), reason="It was of a test.")
    Payout.objects.update(last_error="ConnectionRefusedError: nobody answers", attempts=2)
    return {"cycle": cycle.id, "payout": payout.id, "wrong": wrong, "right": right, "day": business_date(yesterday)}


def pages_of(story):
    """Every page in its states: who looks, and the address."""
    fee = Transfer.objects.filter(kind="fee").first()
    payout = Transfer.objects.filter(kind="payout").exclude(id=story["payout"]).get()
    letter = DeadLetter.objects.get(state="dead")
    finance = [
        "/", "/totals", f"/days/{story['day']}", "/days/2020-01-01", "/workers", "/workers/totals",
        f"/workers/{WILMA}", f"/workers/{WILMA}?day=2020-01-01", "/cycles", f"/cycles/{story['cycle']}",
        f"/cycles/{Cycle.objects.get(state='open').id}", "/corrections", f"/corrections?worker={BORIS}",
        f"/corrections/new?worker={WILMA}&about=POPUG-42", f"/entries/{fee.id}", f"/entries/{story['payout']}",
        f"/entries/{story['wrong']}", f"/entries/{story['right']}/take-back", f"/entries/{payout.id}/return",
        f"/tasks/{task_id()}", f"/tasks/{task_id()}?worker={BORIS}", f"/tasks/{task_id(3)}", f"/tasks/{task_id(5)}",
        f"/tasks/{uuid4()}", "/workers?show=left", "/search", "/search?q=w", "/search?q=nothing", "/dead-letters/",
        f"/dead-letters/{letter.pk}/", "/dead-letters/?show=decided",
    ]  # fmt: skip
    return [*(("finance", address) for address in finance), ("worker", "/statement"), ("worker", "/workers")]
