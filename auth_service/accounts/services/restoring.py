"""After a restore from a backup: what auth told and does not know any more, taken back from its own topic."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from accounts.domain import SYSTEM
from accounts.events import published
from accounts.models import Account, fields_of
from eventbus import Event, State

from .changes import account_noted

_NAMES = ("email", "full_name", "position", "role")


@transaction.atomic
def accounts_take(events: Sequence[Event]) -> None:
    """Bring accounts to the newer states that these events tell, and make those that the backup did not have.

    Whoever was deactivated after the backup stays so. A new account has no password: one is set by the mail for it.
    """
    known = Account.objects.select_for_update().in_bulk([UUID(event.key) for event in events])
    for event in events:
        account = known.get(UUID(event.key)) or _made(event)
        before = fields_of(account) if account.pk in known else {}
        data = event.data
        for name in _NAMES:
            setattr(account, name, data[name])
        account.is_active, account.session_epoch = data["active"], max(account.session_epoch, data["session_epoch"])
        account.version, account.updated_at = data["version"], event.time
        account.email_confirmed_at = account.email_confirmed_at or event.time  # nobody is told of before
        account.save()
        after = {name: value for name, value in fields_of(account).items() if before.get(name) != value}
        before = {name: before[name] for name in after if name in before}
        account_noted(account.pk, action="taken_back", before=before, after=after, actor_id=SYSTEM, now=event.time)


def _made(event: Event) -> Account:
    account = Account(id=UUID(event.key), created_at=event.time)
    account.set_unusable_password()
    return account


STATE = {"accounts-stream": State(published.known_elsewhere, published.account_state, take=accounts_take)}
