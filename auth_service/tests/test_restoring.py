"""A restored auth takes back what it told after the backup: nobody gets access again, nobody is forgotten."""

from collections.abc import Callable

from django.test import Client

from accounts import services
from accounts.domain import MANAGER, SYSTEM
from accounts.models import Account, AccountChange, Mail
from accounts.services.changes import account_confirmed
from accounts.services.restoring import accounts_take
from eventbus.testing import published

from .conftest import NOW

Make = Callable[..., Account]


def last_told(account: Account) -> object:
    return [event for event in published() if event.topic == "accounts-stream" and event.key == str(account.pk)][-1]


def test_who_was_deactivated_after_the_backup_stays_so(admin: Account, worker: Account) -> None:
    backup = Account.objects.values().get(pk=worker.pk)
    services.account_role_change(account_id=worker.pk, role=MANAGER, actor_id=str(admin.pk), now=NOW)
    services.account_deactivate(account_id=worker.pk, actor_id=str(admin.pk), now=NOW)
    told = Account.objects.get(pk=worker.pk)
    Account.objects.filter(pk=worker.pk).update(**backup)
    accounts_take([last_told(worker)])
    taken = Account.objects.get(pk=worker.pk)
    assert (taken.role, taken.is_active, taken.session_epoch, taken.version) == (
        MANAGER,
        False,
        told.session_epoch,
        told.version,
    )
    change = AccountChange.objects.filter(account_id=worker.pk).latest("id")
    assert (change.action, change.actor_id, change.before, change.after) == (
        "taken_back",
        SYSTEM,
        {"role": "worker", "active": True},
        {"role": MANAGER, "active": False},
    )


def test_an_account_made_after_the_backup_is_there_again_without_a_password(client: Client, db: None) -> None:
    lost = services.account_create(email="new@popug.example", full_name="Nina New", now=NOW)
    told = last_told(lost)
    lost.delete()
    accounts_take([told])
    again = Account.objects.get(pk=told.key)
    assert (again.email, again.full_name, again.is_confirmed) == ("new@popug.example", "Nina New", True)
    assert not again.has_usable_password()
    services.password_reset_request(email="new@popug.example", now=NOW, base_url="http://auth.example")
    assert Mail.objects.filter(account_id=again.pk).exists()


def test_an_address_that_was_confirmed_after_the_backup_stays_confirmed(make_account: Make) -> None:
    invited = make_account("invited@popug.example", confirmed=False)
    backup = Account.objects.values().get(pk=invited.pk)
    account_confirmed(Account.objects.get(pk=invited.pk), action="confirmed", now=NOW)
    told = last_told(invited)
    Account.objects.filter(pk=invited.pk).update(**backup)
    accounts_take([told])
    assert Account.objects.get(pk=invited.pk).is_confirmed
