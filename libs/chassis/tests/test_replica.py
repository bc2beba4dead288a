"""The replica ends the same, whatever the order of the events and however often they come."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.replica.models import Account
from chassis.replica.services import accounts_apply, name_of, session_epoch_raise

PERSON = UUID(int=7)
ROLES = ["admin", "manager", "finance", "worker"]


@dataclass(frozen=True)
class Event:
    name: str
    data: dict[str, Any]


def state(
    version, *, account=PERSON, name="AccountUpdated", full_name="Wilma Weber", role="worker", active=True, epoch=1
):
    person = {"email": "w@popug.example", "full_name": full_name, "position": "Keeper"}
    return Event(name, access_data(version, account, role, active, epoch) | person)


def access(version, *, account=PERSON, name="AccountRoleChanged", role="worker", active=True, epoch=1):
    return Event(name, access_data(version, account, role, active, epoch) | {"actor_id": "system"})


def access_data(version, account, role, active, epoch):
    return {"account_id": str(account), "version": version, "role": role, "active": active, "session_epoch": epoch}


def deleted(version, account=PERSON):
    return Event("AccountDeleted", {"account_id": str(account), "version": version})


def row(account=PERSON):
    return Account.objects.get(pk=account)


@pytest.mark.django_db
def test_a_new_account_has_what_its_event_says():
    accounts_apply([state(1, name="AccountCreated")])
    assert (row().name, row().email, row().position, row().is_worker) == (
        "Wilma Weber",
        "w@popug.example",
        "Keeper",
        True,
    )


@pytest.mark.django_db
def test_a_business_event_that_outruns_the_account_makes_a_stub_that_is_filled_later():
    accounts_apply([access(2, role="manager", epoch=4)])
    assert row().is_stub
    assert (row().name, row().role, row().session_epoch) == ("00000000", "manager", 4)
    accounts_apply([state(1, name="AccountCreated", full_name="Max Braun")])
    assert not row().is_stub
    assert (row().name, row().role) == ("Max Braun", "manager")


@pytest.mark.django_db
def test_a_business_event_does_not_eat_the_state_of_the_same_change():
    accounts_apply([access(3, role="manager"), state(3, role="manager", full_name="Max Braun")])
    assert (row().full_name, row().state_version, row().access_version) == ("Max Braun", 3, 3)


@pytest.mark.django_db
def test_a_leaver_who_comes_back_in_the_same_batch_works_again():
    accounts_apply([state(1)])
    accounts_apply([access(2, active=False, epoch=2), access(3, epoch=3)])
    assert (row().is_worker, row().session_epoch) == (True, 3)


@pytest.mark.django_db
def test_a_deleted_account_keeps_its_id_and_nothing_else():
    accounts_apply([state(1, epoch=5), deleted(4)])
    assert (row().email, row().full_name, row().position, row().role, row().is_active) == ("", "", "", "", False)
    assert (row().name, row().is_stub, row().session_epoch) == ("former employee", False, 5)


@pytest.mark.django_db
def test_nothing_brings_a_deleted_account_back():
    accounts_apply([deleted(4)])
    accounts_apply([state(9), access(10, role="admin", epoch=8)])
    assert (row().full_name, row().role, row().is_stub, row().session_epoch) == ("", "", False, 8)


@pytest.mark.django_db
def test_the_session_epoch_rises_also_for_an_account_not_seen_yet_and_never_falls():
    session_epoch_raise(account_id=PERSON, session_epoch=6)
    session_epoch_raise(account_id=PERSON, session_epoch=2)
    accounts_apply([state(1, epoch=3)])
    assert row().session_epoch == 6


@pytest.mark.django_db
def test_an_event_of_another_kind_is_refused_and_nothing_is_applied():
    with pytest.raises(ValueError, match="TaskCreated"):
        accounts_apply([state(1), access(2, name="TaskCreated")])
    assert not Account.objects.exists()


@pytest.mark.django_db
def test_accounts_are_read_and_written_in_sets(django_assert_num_queries):
    events = [state(1, account=uuid4()) for _ in range(200)]
    with django_assert_num_queries(5):  # savepoint, insert, lock, upsert, release
        accounts_apply(events)


@pytest.mark.django_db(transaction=True)
def test_two_batches_in_opposite_orders_never_deadlock():
    ids = [uuid4() for _ in range(20)]
    start = threading.Barrier(2)

    def run(order):
        try:
            for version in range(1, 15):
                start.wait(20)
                accounts_apply([state(version, account=account) for account in order])
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(run, ids), pool.submit(run, ids[::-1])]:
            future.result()
    assert set(Account.objects.values_list("state_version", flat=True)) == {14}


@st.composite
def histories(draw):
    """The truth after each version of one account, and the events that auth sent about it."""
    account = draw(st.uuids())
    truth = {"full_name": "v1", "role": "worker", "active": True, "epoch": 1}
    events = [state(1, account=account, name="AccountCreated", **truth)]
    for version in range(2, draw(st.integers(2, 6))):
        change = draw(st.sampled_from(["name", "role", "active"]))
        if change == "name":
            truth = truth | {"full_name": f"v{version}"}
        elif change == "role":
            truth = truth | {"role": draw(st.sampled_from(ROLES)), "epoch": truth["epoch"] + 1}
        else:
            truth = truth | {"active": not truth["active"], "epoch": truth["epoch"] + 1}
        events.append(state(version, account=account, **truth))
        if change != "name":
            facts = {key: truth[key] for key in ("role", "active", "epoch")}
            events.append(access(version, account=account, **facts))
    return account, truth, events


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_and_any_repetition_ends_in_the_truth(data):
    known = data.draw(st.lists(histories(), min_size=1, max_size=3, unique_by=lambda history: history[0]))
    events = [event for _, _, sent in known for event in sent]
    again = data.draw(st.lists(st.sampled_from(events), max_size=5))
    order = data.draw(st.permutations(events + again))
    size = data.draw(st.integers(1, len(order)))
    Account.objects.all().delete()
    for start in range(0, len(order), size):
        accounts_apply(order[start : start + size])
    for account, truth, _ in known:
        found = row(account)
        assert (found.full_name, found.role, found.is_active) == (truth["full_name"], truth["role"], truth["active"])
        assert found.session_epoch == truth["epoch"]


def test_an_account_is_called_by_name_and_known_by_id():
    account = Account(id=PERSON, full_name="Wilma Weber")
    assert (str(account), account.get_username()) == ("Wilma Weber", str(PERSON))


@pytest.mark.django_db
def test_an_account_without_a_name_is_called_by_its_address_and_one_not_seen_yet_by_its_id(person):
    first_admin = person("admin", full_name="", email="ada@popug.example")
    not_seen_yet = person("", full_name="", email="", state_version=0)
    assert [name_of(str(account.id)) for account in (first_admin, not_seen_yet)] == [
        "ada@popug.example",
        str(not_seen_yet.id)[:8],
    ]
