"""Use cases of accounts: what they store, keep and publish."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import call_command

from accounts import services
from accounts.domain import ADMIN, FINANCE, MANAGER, SYSTEM, WORKER, Refused
from accounts.models import Account, AccountChange
from eventbus.testing import clear_outbox, published

from .conftest import NOW

LATER = NOW + timedelta(hours=1)
Make = Callable[..., Account]


def names() -> list[str]:
    return [event.name for event in published()]


def refusal(call: Callable[..., object], **arguments: object) -> str:
    with pytest.raises(Refused) as refused:
        call(**arguments)
    return refused.value.code


def test_a_new_account_is_published_whole(db: None) -> None:
    account = services.account_create(
        email="W.Weber@popug.example ", full_name="Wilma Weber", position="Cage keeper", now=NOW
    )
    (event,) = published()
    assert (event.name, event.topic, event.key, event.time) == (
        "AccountCreated",
        "accounts-stream",
        str(account.pk),
        NOW,
    )
    assert event.data == {
        "account_id": str(account.pk),
        "version": 1,
        "email": "w.weber@popug.example",
        "full_name": "Wilma Weber",
        "position": "Cage keeper",
        "role": WORKER,
        "active": True,
        "session_epoch": 1,
    }


def test_an_unconfirmed_account_is_published_to_nobody(db: None) -> None:
    account = services.account_create(email="w@popug.example", full_name="W", confirmed=False, now=NOW)
    services.account_update(account_id=account.pk, full_name="Wilma", actor_id=SYSTEM, now=LATER)
    assert published() == []


def test_an_address_is_unique_regardless_of_case(worker: Account) -> None:
    assert refusal(services.account_create, email="W.WEBER@Popug.Example", full_name="", now=NOW) == "taken"
    assert published() == []


def test_an_account_takes_no_unknown_role(db: None) -> None:
    assert refusal(services.account_create, email="w@popug.example", full_name="", role="owner", now=NOW) == "role"


def test_an_edit_is_published_and_kept_with_before_and_after(worker: Account, admin: Account) -> None:
    services.account_update(
        account_id=worker.pk, full_name="Wilma Wolf", position="Feeder", actor_id=str(admin.pk), now=LATER
    )
    (event,) = published()
    assert (event.name, event.data["full_name"], event.data["version"]) == ("AccountUpdated", "Wilma Wolf", 2)
    change = AccountChange.objects.filter(account_id=worker.pk).latest("id")
    assert (change.actor_id, change.at) == (str(admin.pk), LATER)
    assert (change.before, change.after) == (
        {"full_name": "Wilma Weber", "position": ""},
        {"full_name": "Wilma Wolf", "position": "Feeder"},
    )


def test_an_edit_that_changes_nothing_leaves_no_trace(worker: Account) -> None:
    services.account_update(account_id=worker.pk, full_name="Wilma Weber ", actor_id=SYSTEM, now=LATER)
    assert published() == []
    assert Account.objects.get(pk=worker.pk).version == 1


def test_a_role_change_is_published_as_state_and_as_fact_of_one_version(worker: Account, admin: Account) -> None:
    services.account_role_change(account_id=worker.pk, role=MANAGER, actor_id=str(admin.pk), now=LATER)
    state, fact = published()
    assert (state.name, state.data["role"], state.data["version"]) == ("AccountUpdated", MANAGER, 2)
    assert (fact.name, fact.topic) == ("AccountRoleChanged", "accounts")
    assert fact.data == {
        "account_id": str(worker.pk),
        "version": 2,
        "role": MANAGER,
        "previous_role": WORKER,
        "active": True,
        "session_epoch": 2,
        "actor_id": str(admin.pk),
    }


def test_deactivation_and_reactivation_raise_version_and_session_epoch(worker: Account, admin: Account) -> None:
    services.account_deactivate(account_id=worker.pk, actor_id=str(admin.pk), now=LATER)
    services.account_reactivate(account_id=worker.pk, actor_id=str(admin.pk), now=LATER)
    assert names() == ["AccountUpdated", "AccountDeactivated", "AccountUpdated", "AccountReactivated"]
    facts = [event for event in published() if event.topic == "accounts"]
    assert [(fact.data["active"], fact.data["session_epoch"], fact.data["version"]) for fact in facts] == [
        (False, 2, 2),
        (True, 3, 3),
    ]


def test_a_deactivated_account_keeps_its_role(worker: Account, admin: Account) -> None:
    services.account_deactivate(account_id=worker.pk, actor_id=str(admin.pk), now=LATER)
    assert refusal(services.account_deactivate, account_id=worker.pk, actor_id=str(admin.pk), now=LATER) == "unchanged"
    account = Account.objects.get(pk=worker.pk)
    assert (account.role, account.status) == (WORKER, "deactivated")


@pytest.mark.parametrize("actor_role", [MANAGER, FINANCE, WORKER])
def test_only_an_admin_changes_roles(make_account: Make, worker: Account, actor_role: str) -> None:
    actor = make_account("actor@popug.example", actor_role)
    arguments = {"account_id": worker.pk, "actor_id": str(actor.pk), "now": LATER}
    assert refusal(services.account_role_change, role=ADMIN, **arguments) == "not_admin"
    assert refusal(services.account_deactivate, **arguments) == "not_admin"
    assert refusal(services.account_reactivate, **arguments) == "not_admin"
    assert refusal(services.account_update, full_name="Wilma Wolf", **arguments) == "not_admin"
    assert published() == []


@pytest.mark.parametrize("actor_role", [MANAGER, FINANCE, WORKER])
def test_only_an_admin_invites(make_account: Make, actor_role: str) -> None:
    invitation = {"email": "new@popug.example", "full_name": "Nora", "role": ADMIN, "base_url": "http://x"}
    actor = make_account("actor@popug.example", actor_role)
    assert refusal(services.invite, **invitation, actor_id=str(actor.pk), now=LATER) == "not_admin"
    assert not Account.objects.filter(email="new@popug.example").exists()


def test_an_admin_who_was_deactivated_meanwhile_changes_nothing(
    make_account: Make, admin: Account, worker: Account
) -> None:
    other = make_account("other@popug.example", ADMIN)
    services.account_deactivate(account_id=other.pk, actor_id=str(admin.pk), now=LATER)
    arguments = {"account_id": worker.pk, "role": ADMIN, "actor_id": str(other.pk), "now": LATER}
    assert refusal(services.account_role_change, **arguments) == "not_admin"


def test_the_last_active_admin_stays(admin: Account, make_account: Make) -> None:
    make_account("invited@popug.example", ADMIN, confirmed=False)
    arguments = {"account_id": admin.pk, "actor_id": str(admin.pk), "now": LATER}
    assert refusal(services.account_role_change, role=WORKER, **arguments) == "last_admin"
    assert refusal(services.account_deactivate, **arguments) == "last_admin"
    assert Account.objects.get(pk=admin.pk).version == 1


def test_the_operator_makes_the_first_admin(db: None) -> None:
    account = services.admin_restore(email="Boss@popug.example", now=NOW)
    assert (account.email, account.role, account.is_confirmed) == ("boss@popug.example", ADMIN, True)
    assert names() == ["AccountCreated"]
    assert AccountChange.objects.get().action == "restored"


def test_the_operator_restores_a_deactivated_worker_as_admin(worker: Account) -> None:
    Account.objects.filter(pk=worker.pk).update(is_active=False, email_confirmed_at=None)
    services.admin_restore(email=worker.email, now=LATER)
    assert names() == ["AccountUpdated", "AccountRoleChanged", "AccountReactivated"]
    account = Account.objects.get(pk=worker.pk)
    assert (account.standing.is_active_admin, account.is_confirmed) == (True, True)
    assert AccountChange.objects.filter(account_id=worker.pk).latest("id").actor_id == SYSTEM


def test_restoring_an_admin_ends_the_sessions_of_who_had_the_account(admin: Account) -> None:
    services.admin_restore(email=admin.email, now=LATER)
    assert Account.objects.get(pk=admin.pk).session_epoch == 2
    assert AccountChange.objects.filter(account_id=admin.pk).latest("id").action == "restored"


def test_no_admin_is_made_without_an_address(db: None) -> None:
    assert refusal(services.admin_restore, email="boss", now=NOW) == "email"


def test_the_present_state_of_all_confirmed_accounts_can_be_published_again(
    worker: Account, make_account: Make
) -> None:
    make_account("invited@popug.example", confirmed=False)
    clear_outbox()
    call_command("republish_state", "accounts-stream")
    (event,) = published()
    assert (event.name, event.key, event.data["version"]) == ("AccountUpdated", str(worker.pk), 1)
