"""What this service hears: one table of all subscriptions."""

from collections.abc import Callable, Mapping, Sequence

from eventbus import Event, looks_twice
from tasks import domain, services

Handler = Callable[[Sequence[Event]], None]


def accounts_apply(events: Sequence[Event]) -> None:
    services.accounts_apply(events=events, rng_of=domain.rng_of)


@looks_twice
def prices_apply(events: Sequence[Event]) -> None:
    services.prices_apply(events=events)


CONSUMERS: Mapping[str, Mapping[str, Handler]] = {
    "accounts": {
        "AccountCreated": accounts_apply,
        "AccountUpdated": accounts_apply,
        "AccountDeleted": accounts_apply,
        "AccountRoleChanged": accounts_apply,
        "AccountDeactivated": accounts_apply,
        "AccountReactivated": accounts_apply,
    },
    "prices": {"TaskPriced": prices_apply},
}
