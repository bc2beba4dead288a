"""Links that set a password: invitations, signing up, resets and the operator's."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts import services
from accounts.domain import ADMIN, INVITATION, MANAGER, OPERATOR, RESET, SIGN_UP, SYSTEM, WORKER, Refused, token_hash
from accounts.models import Account, AccountChange, BrowserSession, Mail, OneTimeLink
from eventbus.testing import published

from .conftest import NOW, PASSWORD
from .steps import keyed, page

Make = Callable[..., Account]
BASE = "http://auth.example"


def token_of(mail: Mail) -> str:
    found = re.search(rf"{BASE}/link\?token=(\S+)", mail.body)
    assert found
    return found.group(1)


def refusal(call: Callable[..., object], **arguments: object) -> str:
    with pytest.raises(Refused) as refused:
        call(**arguments)
    return refused.value.code


@pytest.fixture
def invited(admin: Account) -> Account:
    return services.invite(
        email="new@popug.example",
        full_name="Nora Neu",
        position="Feeder",
        role=MANAGER,
        actor_id=str(admin.pk),
        base_url=BASE,
        now=NOW,
    )


def test_an_invitation_makes_the_account_real_when_its_password_is_set(invited: Account) -> None:
    assert (invited.status, published()) == ("invited", [])
    services.link_use(token=token_of(Mail.objects.get()), password="round cages", now=NOW + timedelta(hours=71))
    account = Account.objects.get(pk=invited.pk)
    assert (account.status, account.role, account.check_password("round cages")) == ("active", MANAGER, True)
    (event,) = published()
    assert (event.name, event.data["role"], event.data["version"]) == ("AccountCreated", MANAGER, account.version)


def test_an_invitation_expires_after_72_hours(invited: Account) -> None:
    token = token_of(Mail.objects.get())
    assert refusal(services.link_use, token=token, password="round cages", now=NOW + timedelta(hours=72)) == "link"
    assert Account.objects.get(pk=invited.pk).status == "invited"


def test_a_link_works_once(invited: Account) -> None:
    token = token_of(Mail.objects.get())
    services.link_use(token=token, password="round cages", now=NOW)
    assert refusal(services.link_use, token=token, password="square cages", now=NOW) == "link"


def test_an_unknown_link_is_refused(db: None) -> None:
    assert refusal(services.link_use, token="guessed", password="round cages", now=NOW) == "link"


def test_a_deactivated_account_cannot_be_opened_by_an_old_link(worker: Account, admin: Account) -> None:
    token = services.link_open(account_id=worker.pk, kind=RESET, now=NOW)
    services.account_deactivate(account_id=worker.pk, actor_id=str(admin.pk), now=NOW)
    assert refusal(services.link_use, token=token, password="round cages", now=NOW) == "inactive"


def test_only_the_hash_of_a_link_is_stored(worker: Account) -> None:
    token = services.link_open(account_id=worker.pk, kind=OPERATOR, now=NOW)
    assert list(OneTimeLink.objects.values_list("token_hash", flat=True)) == [token_hash(token)]
    assert token not in str(OneTimeLink.objects.values().get())


def test_using_one_link_uses_up_the_others_of_the_account(worker: Account, admin: Account) -> None:
    first, second = (services.link_open(account_id=worker.pk, kind=RESET, now=NOW) for _ in range(2))
    of_another = services.link_open(account_id=admin.pk, kind=RESET, now=NOW)
    services.link_use(token=second, password="round cages", now=NOW)
    assert refusal(services.link_use, token=first, password="square cages", now=NOW) == "link"
    services.link_use(token=of_another, password="round cages", now=NOW)


def test_a_new_password_ends_every_session(worker: Account) -> None:
    services.session_start(account_id=worker.pk, session_key="k", now=NOW)
    services.password_change(account_id=worker.pk, current=PASSWORD, password="round cages", now=NOW)
    assert BrowserSession.objects.get().ended_at == NOW
    (event,) = published()
    assert (event.name, event.data["session_epoch"]) == ("AccountUpdated", 2)
    change = AccountChange.objects.latest("id")
    assert (change.action, change.before, change.after) == ("password_set", {}, {})


def test_signing_up_makes_a_worker_whom_nobody_knows_yet(db: None) -> None:
    services.sign_up(email="New@Popug.example", full_name="Nora Neu", base_url=BASE, now=NOW)
    account = Account.objects.get()
    assert (account.email, account.role, account.status, published()) == ("new@popug.example", WORKER, "invited", [])
    assert Mail.objects.get().to == "new@popug.example"


def test_signing_up_twice_sends_the_link_again(db: None) -> None:
    for _ in range(2):
        services.sign_up(email="new@popug.example", full_name="Nora Neu", base_url=BASE, now=NOW)
    assert (Account.objects.count(), Mail.objects.count()) == (1, 2)


def test_signing_up_with_a_known_address_mails_a_reset_and_changes_nothing(worker: Account) -> None:
    services.sign_up(email=worker.email.upper(), full_name="Mallory", base_url=BASE, now=NOW)
    assert Account.objects.get().full_name == "Wilma Weber"
    assert "new password" in Mail.objects.get().subject


def test_a_deactivated_account_is_not_woken_by_signing_up_or_a_reset(worker: Account, admin: Account) -> None:
    services.account_deactivate(account_id=worker.pk, actor_id=str(admin.pk), now=NOW)
    services.sign_up(email=worker.email, full_name="W", base_url=BASE, now=NOW)
    services.password_reset_request(email=worker.email, base_url=BASE, now=NOW)
    assert not Mail.objects.exists()


def test_a_reset_is_mailed_to_the_address_in_any_case(worker: Account) -> None:
    services.password_reset_request(email=" W.WEBER@popug.example", base_url=BASE, now=NOW)
    services.password_reset_request(email="nobody@popug.example", base_url=BASE, now=NOW)
    mail = Mail.objects.get()
    services.link_use(token=token_of(mail), password="round cages", now=NOW + timedelta(minutes=59))
    assert Account.objects.get(pk=worker.pk).check_password("round cages")


def test_an_invitation_names_no_second_account(worker: Account) -> None:
    arguments = {"full_name": "", "role": ADMIN, "actor_id": SYSTEM, "base_url": BASE, "now": NOW}
    assert refusal(services.invite, email=worker.email.upper(), **arguments) == "taken"
    assert not OneTimeLink.objects.filter(kind=INVITATION).exists()


def test_an_admin_sends_the_invitation_again_and_history_tells(invited: Account, admin: Account) -> None:
    late = NOW + timedelta(hours=80)
    services.link_resend(account_id=invited.pk, actor_id=str(admin.pk), base_url=BASE, now=late)
    first, second = Mail.objects.order_by("id")
    assert "You are invited" in second.subject
    assert refusal(services.link_use, token=token_of(first), password="round cages", now=late) == "link"
    services.link_use(token=token_of(second), password="round cages", now=late + timedelta(hours=71))
    change = AccountChange.objects.filter(action="link_sent").get()
    assert (change.account_id, change.actor_id, change.at) == (invited.pk, str(admin.pk), late)


def test_who_signed_up_is_sent_the_link_of_signing_up_again(db: None, admin: Account) -> None:
    services.sign_up(email="new@popug.example", full_name="Nora Neu", base_url=BASE, now=NOW)
    account = Account.objects.get(email="new@popug.example")
    services.link_resend(account_id=account.pk, actor_id=str(admin.pk), base_url=BASE, now=NOW)
    assert [mail.subject for mail in Mail.objects.order_by("id")] == ["Confirm your address for Task Tracker"] * 2


def test_a_link_is_sent_again_only_by_an_admin_and_only_where_one_is_missing(
    invited: Account, worker: Account, admin: Account
) -> None:
    arguments = {"base_url": BASE, "now": NOW}
    by_worker = {"account_id": invited.pk, "actor_id": str(worker.pk)}
    to_worker = {"account_id": worker.pk, "actor_id": str(admin.pk)}
    assert refusal(services.link_resend, **arguments | by_worker) == "not_admin"
    assert refusal(services.link_resend, **arguments | to_worker) == "confirmed"
    services.account_deactivate(account_id=invited.pk, actor_id=str(admin.pk), now=NOW)
    to_invited = {"account_id": invited.pk, "actor_id": str(admin.pk)}
    assert refusal(services.link_resend, **arguments | to_invited) == "inactive"


@pytest.mark.parametrize(
    ("kind", "hours", "heading", "advice"),
    [
        (INVITATION, 72, "This invitation has expired", "ask an admin to send the invitation again"),
        (SIGN_UP, 72, "This link has expired", "Have a new one sent"),
        (RESET, 1, "This link has expired", "Have a new one sent"),
        (OPERATOR, 24, "This link has expired", "Have a new one sent"),
    ],
)
def test_an_expired_link_says_so_and_how_to_get_a_new_one(
    worker: Account, kind: str, hours: int, heading: str, advice: str
) -> None:
    made = datetime.now(UTC) - timedelta(hours=hours, seconds=1)
    token = services.link_open(account_id=worker.pk, kind=kind, now=made)
    for response in (
        Client().get(f"/link?token={token}"),
        Client().post(f"/link?token={token}", keyed(password="round cages")),
    ):
        assert response.status_code == 410
        shown = " ".join(page(response).find("main").get_text(" ").split())
        assert heading in shown
        assert advice in shown
        assert page(response).select_one(".gate-card a")["href"] == "/forgotten-password"
    assert Account.objects.get(pk=worker.pk).check_password(PASSWORD)


def test_an_unknown_link_leads_nowhere_and_says_so(db: None) -> None:
    response = Client().get("/link?token=cut-o")
    assert response.status_code == 410
    assert "leads nowhere" in response.content.decode()


def test_setting_the_password_twice_with_one_form_says_the_same(worker: Account) -> None:
    token = services.link_open(account_id=worker.pk, kind=RESET, now=datetime.now(UTC))
    form = keyed(password="round cages")
    answers = [Client().post(f"/link?token={token}", form) for _ in range(2)]
    assert [answer["Location"] for answer in answers] == ["/login", "/login"]
    assert "used already" in Client().get(f"/link?token={token}").content.decode()


def test_signing_up_twice_with_one_form_mails_once(db: None, settings: Any) -> None:
    settings.SIGN_UP = "open"
    form = keyed(full_name="Nora", email="new@popug.example")
    answers = [Client().post("/sign-up", form).content.decode() for _ in range(2)]
    assert all("Look into your mail" in answer for answer in answers)
    assert Mail.objects.count() == 1


def test_asking_for_a_reset_twice_with_one_form_mails_once(worker: Account) -> None:
    form = keyed(email=worker.email)
    for _ in range(2):
        assert Client().post("/forgotten-password", form).status_code == 200
    assert Mail.objects.count() == 1
