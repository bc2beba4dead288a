"""What this service hears: everything. One table of all subscriptions."""

from collections.abc import Callable, Mapping, Sequence

from analytics import services
from eventbus import Event, looks_twice

Handler = Callable[[Sequence[Event]], None]


def accounts_apply(events: Sequence[Event]) -> None:
    services.accounts_consume(events=events)


def facts_apply(events: Sequence[Event]) -> None:
    services.facts_consume(events=events)


@looks_twice
def transactions_apply(events: Sequence[Event]) -> None:
    services.transactions_consume(events=events)


CONSUMERS: Mapping[str, Mapping[str, Handler]] = {
    "accounts": {
        "AccountCreated": accounts_apply,
        "AccountUpdated": accounts_apply,
        "AccountDeleted": accounts_apply,
        "AccountRoleChanged": accounts_apply,
        "AccountDeactivated": accounts_apply,
        "AccountReactivated": accounts_apply,
    },
    "facts": {
        "TaskCreated": facts_apply,
        "TaskUpdated": facts_apply,
        "TaskAssigned": facts_apply,
        "TaskCompleted": facts_apply,
        "TaskReopened": facts_apply,
        "TaskPriced": facts_apply,
        "TransactionPosted": transactions_apply,
        "PayoutMade": facts_apply,
        "CycleClosed": facts_apply,
    },
}
