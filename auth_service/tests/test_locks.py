"""U2: sign-in is throttled by network address and e-mail together; an admin sees a lock and lifts it."""

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from axes.models import AccessAttempt
from django.test import Client

from accounts import services
from accounts.domain import MANAGER, RESET, Refused, lock_end
from accounts.models import Account, AccountChange
from accounts.web.addresses import client_address

from .conftest import PASSWORD
from .steps import SignIn, account_page, form_of, page, said

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HERE, THERE = "10.0.0.1", "10.0.0.2"
PROXIES = [ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00::/8")]


def wrong(email: str, *, times: int = 10, **meta: str) -> Any:
    client = Client(**{"REMOTE_ADDR": HERE} | meta)
    for _ in range(times):
        response = client.post("/login", {"email": email, "password": "wrong"})
    return response


def right(account: Account, **meta: str) -> int:
    return Client(**meta).post("/login", {"email": account.email, "password": PASSWORD}).status_code


def alert(response: Any) -> str:
    return page(response).find(role="alert").get_text(" ", strip=True)


def test_nine_wrong_passwords_lock_nobody(worker: Account) -> None:
    assert wrong(worker.email, times=9).status_code == 422
    assert right(worker, REMOTE_ADDR=HERE) == 302


def test_a_lock_is_of_one_address_from_one_network_address(worker: Account, admin: Account) -> None:
    assert wrong(worker.email).status_code == 429
    assert right(worker, REMOTE_ADDR=HERE) == 429
    assert right(worker, REMOTE_ADDR=THERE) == 302
    assert right(admin, REMOTE_ADDR=HERE) == 302


def test_an_office_behind_one_address_is_never_locked_as_a_whole(make_account: Any) -> None:
    people = [make_account(f"w{number}@popug.example") for number in range(8)]
    for account in people:
        wrong(account.email, times=9)
    assert {right(account, REMOTE_ADDR=HERE) for account in people} == {302}


def test_another_browser_of_the_same_address_is_locked_too(worker: Account) -> None:
    for number in range(10):
        wrong(worker.email, times=1, HTTP_USER_AGENT=f"Browser {number}")
    assert right(worker, REMOTE_ADDR=HERE, HTTP_USER_AGENT="Another") == 429


def test_a_locked_pair_does_not_tell_whether_there_is_such_an_account(worker: Account) -> None:
    known, unknown = wrong(worker.email), wrong("nobody@popug.example")
    assert known.status_code == unknown.status_code == 429
    assert alert(known) == alert(unknown)


def test_the_message_says_how_long_to_wait_and_that_stays_true(worker: Account) -> None:
    with time_machine.travel(START, tick=False) as clock:
        assert "Wait 15 minutes" in alert(wrong(worker.email))
        clock.shift(timedelta(minutes=9, seconds=30))
        assert "Wait 6 minutes" in alert(wrong(worker.email, times=3))
        clock.shift(timedelta(minutes=5))
        assert "Wait 1 minute," in alert(wrong(worker.email, times=1))
        clock.shift(timedelta(seconds=31))
        assert right(worker, REMOTE_ADDR=HERE) == 302


def test_a_right_password_forgets_the_wrong_ones(worker: Account) -> None:
    wrong(worker.email, times=9)
    right(worker, REMOTE_ADDR=HERE)
    assert wrong(worker.email, times=9).status_code == 422


def test_an_admin_sees_the_lock_and_lifts_it(worker: Account, admin: Account, browser: SignIn) -> None:
    client = browser(admin)
    assert "Sign-in is locked" not in client.get(account_page(worker)).content.decode()
    wrong(worker.email)
    shown = client.get(account_page(worker))
    panel = page(shown).select_one(".panel-warn").get_text(" ", strip=True)
    assert HERE in panel
    assert "after 10 wrong passwords" in panel
    form = form_of(shown, account_page(worker, "/unlock"))
    response = client.post(account_page(worker, "/unlock"), form, follow=True)
    assert "lock is lifted" in said(response)
    newest = page(response).select(".timeline li")[0].get_text(" ", strip=True)
    assert newest.startswith("Sign-in lock lifted by Ada Adler")
    assert HERE in newest
    assert right(worker, REMOTE_ADDR=HERE) == 302


def test_lifting_twice_has_one_entry_and_the_same_answer(worker: Account, admin: Account, browser: SignIn) -> None:
    client = browser(admin)
    wrong(worker.email)
    form = form_of(client.get(account_page(worker)), account_page(worker, "/unlock"))
    answers = [said(client.post(account_page(worker, "/unlock"), form, follow=True)) for _ in range(2)]
    assert answers[0] == answers[1]
    assert AccountChange.objects.filter(action="unlocked").count() == 1


def test_a_lock_that_is_over_cannot_be_lifted(worker: Account, admin: Account) -> None:
    with pytest.raises(Refused, match="not_locked"):
        services.account_unlock(account_id=worker.pk, actor_id=str(admin.pk), now=START)


def test_only_an_admin_lifts_a_lock(worker: Account, make_account: Any, browser: SignIn) -> None:
    manager = make_account("m@popug.example", MANAGER)
    assert browser(manager).post(account_page(worker, "/unlock")).status_code == 403
    with pytest.raises(Refused, match="not_admin"):
        services.account_unlock(account_id=worker.pk, actor_id=str(manager.pk), now=START)


def test_a_new_password_by_mail_lifts_the_lock_of_its_address(worker: Account) -> None:
    wrong(worker.email)
    token = services.link_open(account_id=worker.pk, kind=RESET, now=START)
    services.link_use(token=token, password=PASSWORD, now=START)
    assert right(worker, REMOTE_ADDR=HERE) == 302


def test_the_password_is_not_kept_with_a_failure(worker: Account) -> None:
    Client(REMOTE_ADDR=HERE).post("/login", {"email": worker.email, "password": "nearly my password"})
    assert "nearly" not in str(AccessAttempt.objects.values().get())


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),  # a stranger's word counts nothing
        ("10.1.0.5", "198.51.100.1", "198.51.100.1"),
        ("10.1.0.5", "1.2.3.4, 198.51.100.1", "198.51.100.1"),  # what the client itself wrote stands further left
        ("10.1.0.5", "1.2.3.4, 198.51.100.1, 10.1.0.9", "198.51.100.1"),
        ("10.1.0.5", "10.1.7.7, 10.1.0.9", "10.1.7.7"),
        ("10.1.0.5", "", "10.1.0.5"),
        ("10.1.0.5", "nonsense", "10.1.0.5"),
        ("10.1.0.5", "nonsense, 10.1.0.9", "10.1.0.9"),
        ("10.1.0.5", "198.51.100.1:4711", "198.51.100.1"),
        ("10.1.0.5", "[2001:db8::1]:4711", "2001:db8::1"),
        ("fd00::5", "2001:db8::1", "2001:db8::1"),
        ("::ffff:10.1.0.5", "198.51.100.1", "198.51.100.1"),
        ("", "198.51.100.1", None),
    ],
)
def test_the_right_most_hop_that_is_no_trusted_proxy_is_the_client(
    peer: str, forwarded: str, client: str | None
) -> None:
    found = client_address(peer=peer, forwarded_for=forwarded, trusted=PROXIES)
    assert (str(found) if found else None) == client


def test_behind_a_trusted_proxy_each_client_is_counted_apart(worker: Account, settings: Any) -> None:
    settings.TRUSTED_PROXIES = PROXIES
    proxy = {"REMOTE_ADDR": "10.1.0.5"}
    wrong(worker.email, **proxy, HTTP_X_FORWARDED_FOR="198.51.100.1")
    assert right(worker, **proxy, HTTP_X_FORWARDED_FOR="198.51.100.1") == 429
    assert right(worker, **proxy, HTTP_X_FORWARDED_FOR="9.9.9.9, 198.51.100.1") == 429
    assert right(worker, **proxy, HTTP_X_FORWARDED_FOR="198.51.100.2") == 302


def test_without_a_trusted_proxy_nobody_escapes_by_a_header(worker: Account) -> None:
    for number in range(10):
        wrong(worker.email, times=1, HTTP_X_FORWARDED_FOR=f"198.51.100.{number}")
    assert right(worker, REMOTE_ADDR=HERE, HTTP_X_FORWARDED_FOR="198.51.100.99") == 429


def test_one_machines_many_ipv6_addresses_count_as_one(worker: Account) -> None:
    for number in range(10):
        wrong(worker.email, times=1, REMOTE_ADDR=f"2001:db8::{number + 1}")
    assert right(worker, REMOTE_ADDR="2001:db8::ffff") == 429
    assert right(worker, REMOTE_ADDR="2001:db8:0:1::1") == 302


@pytest.mark.parametrize(
    ("failures", "minutes"),
    [
        ([], None),
        ([(0, 9)], None),
        ([(0, 10)], 15),
        ([(0, 12)], 15),
        ([(0, 5), (3, 5)], 15),  # the older ones are forgotten first
        ([(3, 5), (0, 5)], 15),
        ([(0, 5), (3, 9), (4, 6)], 18),
    ],
)
def test_a_lock_ends_when_enough_failures_are_forgotten(failures: list[tuple[int, int]], minutes: int | None) -> None:
    rows = [(START + timedelta(minutes=minute), count) for minute, count in failures]
    end = lock_end(rows, limit=10, lasts=timedelta(minutes=15))
    assert end == (None if minutes is None else START + timedelta(minutes=minutes))
