"""What a ledger has, what it told, and how it is lost and restored, for tests."""

from django.db import transaction

from billing.models import AccountDay, Cycle, LedgerAccount, Payout, Transfer
from billing.services.prices import prices_restore
from billing.services.taking_back import ledger_take_back, told_read
from billing.services.task_events import task_events_post

LOST = {"idempotency_key", "payload_hash", "cause", "actor_id", "reason", "about"}  # of what finance enters
CYCLE = ("id", "starts_at", "due_at", "due_on", "currency", "state", "closed_at", "payout_count", "payout_sum")
MAIL = ("id", "transfer_id", "cycle_id", "account_id", "amount", "message_id")


def ledger(*, but=frozenset(), hashes=True):
    """All that the ledger says, without some columns of entries."""
    columns = [field.attname for field in Transfer._meta.concrete_fields if field.attname not in but]
    rows = Transfer.objects.order_by("account_id", "entry_no").values(*columns)
    return {
        "entries": [{name: bytes(v) if name == "payload_hash" else v for name, v in row.items()} for row in rows],
        "accounts": set(LedgerAccount.objects.values_list("id", "balance", "entry_no")),
        "cycles": set(Cycle.objects.values_list(*CYCLE, *(["hash"] if hashes else []))),
        "days": set(AccountDay.objects.values_list("account_id", "cycle_id", "business_date", "kind", "sum", "count")),
        "mails": set(Payout.objects.values_list(*MAIL)),
    }


class Dump:
    """The database as it is now; `restore` makes it so again."""

    def __init__(self):
        self._savepoint = transaction.savepoint()

    def restore(self):
        transaction.savepoint_rollback(self._savepoint)


def topics(told, tasks):
    """What Kafka has: the events that billing told, and those of tasks."""
    return lambda topic: [event for event in told if event.topic == topic] if topic != "tasks" else tasks


def take_back(told, tasks, **given):
    """As the command does."""
    prices_restore([event for event in told if event.name == "TaskPriced"])
    return ledger_take_back(told_read(topics(told, tasks)), **given)


def replay(tasks):
    """What the consumer does with everything that tasks told since the dump, or before it."""
    for event in tasks:
        task_events_post([event])
