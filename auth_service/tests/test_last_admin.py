"""Two admins at once, in two real transactions."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from django.db import connection, connections, transaction

from accounts import services
from accounts.domain import ADMIN, WORKER, Refused
from accounts.models import Account

from .conftest import NOW

pytestmark = pytest.mark.django_db(transaction=True)

Make = Callable[..., Account]


def outcome(call: Callable[[], object]) -> str:
    try:
        call()
    except Refused as refused:
        return refused.code
    finally:
        connections.close_all()
    return "done"


def demote(account: Account, actor: Account) -> object:
    return services.account_role_change(account_id=account.pk, role=WORKER, actor_id=str(actor.pk), now=NOW)


def deactivate(account: Account, actor: Account) -> object:
    return services.account_deactivate(account_id=account.pk, actor_id=str(actor.pk), now=NOW)


@pytest.mark.parametrize("second", [demote, deactivate])
def test_of_two_admins_who_leave_at_once_one_stays(
    admin: Account, make_account: Make, second: Callable[[Account, Account], object]
) -> None:
    other = make_account("other@popug.example", ADMIN)
    together = Barrier(2)

    def run(change: Callable[[Account, Account], object], account: Account) -> str:
        together.wait()
        return outcome(lambda: change(account, account))

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(run, (demote, second), (admin, other)))
    assert sorted(outcomes) == ["done", "last_admin"]
    assert Account.objects.admins().count() == 1


def test_an_admin_who_waited_for_the_other_sees_that_the_other_is_gone(admin: Account, make_account: Make) -> None:
    """The second begins while the first has not committed: it must not count with the snapshot from before."""
    other = make_account("other@popug.example", ADMIN)
    first_has_the_locks, second_waits = Event(), Event()

    def first() -> str:
        with transaction.atomic():
            answer = outcome_inside(lambda: demote(admin, admin))
            first_has_the_locks.set()
            assert second_waits.wait(5)
        connections.close_all()
        return answer

    with ThreadPoolExecutor(2) as pool:
        leaving = pool.submit(first)
        assert first_has_the_locks.wait(5)
        waiting = pool.submit(outcome, lambda: demote(other, other))
        wait_until_somebody_waits_for_a_lock()
        second_waits.set()
        assert (leaving.result(), waiting.result()) == ("done", "last_admin")


def test_two_admins_who_demote_each_other_leave_one(admin: Account, make_account: Make) -> None:
    other = make_account("other@popug.example", ADMIN)
    together = Barrier(2)

    def run(account: Account, actor: Account) -> str:
        together.wait()
        return outcome(lambda: demote(account, actor))

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(run, (admin, other), (other, admin)))
    assert sorted(outcomes) == ["done", "not_admin"]
    assert Account.objects.admins().count() == 1


def outcome_inside(call: Callable[[], object]) -> str:
    call()
    return "done"


def wait_until_somebody_waits_for_a_lock() -> None:
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            (waiting,) = cursor.fetchone()
            cursor.execute("SELECT pg_sleep(0.02)")
        if waiting:
            return
    raise AssertionError("nobody waited for the lock")
