"""The admins' pages: accounts, invitations and history."""

import re
import uuid
from collections.abc import Callable

import pytest
from django.core import mail as outbox
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.domain import FINANCE, MANAGER, WORKER
from accounts.models import Account, AccountChange, OneTimeLink
from eventbus.testing import published

from .steps import account_page, form_of, keyed, page, said, send

SignIn = Callable[..., Client]
Make = Callable[..., Account]


@pytest.mark.parametrize("role", [MANAGER, FINANCE, WORKER])
def test_only_admins_see_accounts(make_account: Make, admin: Account, browser: SignIn, role: str) -> None:
    client = browser(make_account(role=role))
    assert client.get("/")["Location"] == "/profile"
    refused = client.get(account_page(admin))
    assert refused.status_code == 403
    assert "admin" in refused.content.decode()
    for part in ("/edit", "/role", "/deactivate", "/reactivate"):
        assert client.post(account_page(admin, part)).status_code == 403
    assert client.get("/accounts/invite").status_code == 403


def test_a_stranger_is_sent_to_sign_in_and_nothing_is_shown(admin: Account) -> None:
    for address in ("/", account_page(admin), "/profile", "/accounts/invite"):
        assert Client().get(address).status_code == 302


def test_the_list_is_ordered_by_name_and_narrowed_by_words_role_and_status(
    admin: Account, make_account: Make, browser: SignIn
) -> None:
    make_account("max@popug.example", MANAGER, full_name="Max Braun")
    make_account("new@popug.example", full_name="Nora Neu", confirmed=False)
    client = browser(admin)

    def names(question: str = "") -> list[str]:
        cells = page(client.get(f"/{question}")).select("tbody th")
        return [cell.get_text(strip=True) for cell in cells]

    assert names() == ["Ada Adler", "Max Braun", "Nora Neu"]
    assert names("?sort=-name") == ["Nora Neu", "Max Braun", "Ada Adler"]
    assert names("?q=BRAUN+max") == ["Max Braun"]
    assert names("?role=admin") == ["Ada Adler"]
    assert names("?status=invited") == ["Nora Neu"]
    assert "No account matches" in client.get("/?q=zzz").content.decode()


@pytest.mark.parametrize("question", ["?role=owner", "?status=x", "?sort=status", "?after=x", "?rolle=admin"])
def test_a_filter_that_is_not_understood_is_an_error(admin: Account, browser: SignIn, question: str) -> None:
    assert browser(admin).get(f"/{question}").status_code == 400


def test_the_list_goes_on_after_fifty(admin: Account, make_account: Make, browser: SignIn) -> None:
    for number in range(52):
        make_account(f"w{number}@popug.example", full_name=f"Worker {number:02}", password=None)
    first = page(browser(admin).get("/"))
    assert len(first.select("tbody tr")) == 50
    second = page(browser(admin).get("/" + first.select_one("[rel=next]")["href"]))
    assert [cell.get_text(strip=True) for cell in second.select("tbody th")] == ["Worker 49", "Worker 50", "Worker 51"]


def test_an_admin_changes_a_role_and_history_tells(admin: Account, worker: Account, browser: SignIn) -> None:
    response = send(browser(admin), worker, "/role", role=MANAGER)
    assert "role is changed" in said(response)
    assert Account.objects.get(pk=worker.pk).role == MANAGER
    newest = page(response).select(".timeline li")[0].get_text(" ", strip=True)
    assert newest.startswith("Role changed by Ada Adler")
    assert "worker → manager" in newest


def test_a_form_sent_twice_has_one_effect_and_the_same_answer(admin: Account, worker: Account, browser: SignIn) -> None:
    client = browser(admin)
    form = form_of(client.get(account_page(worker)), account_page(worker, "/deactivate"))
    answers = [client.post(account_page(worker, "/deactivate"), form) for _ in range(2)]
    assert [answer["Location"] for answer in answers] == [account_page(worker)] * 2
    assert [event.name for event in published()] == ["AccountUpdated", "AccountDeactivated"]


def test_an_admin_deactivates_and_reactivates(admin: Account, worker: Account, browser: SignIn) -> None:
    client, theirs = browser(admin), browser(worker)
    assert "signed out everywhere" in said(send(client, worker, "/deactivate"))
    assert theirs.get("/profile").status_code == 302
    assert "Reactivated" in said(send(client, worker, "/reactivate"))
    browser(worker)


def test_the_last_admin_is_told_why_not(admin: Account, browser: SignIn) -> None:
    client = browser(admin)
    assert "last active admin" in said(send(client, admin, "/role", role=WORKER))
    assert "last active admin" in said(send(client, admin, "/deactivate"))


def test_a_role_that_does_not_exist_is_refused(admin: Account, worker: Account, browser: SignIn) -> None:
    response = send(browser(admin), worker, "/role", role="owner")
    assert response.status_code == 422
    assert "owner" in page(response).select_one(".field-error").get_text()
    assert Account.objects.get(pk=worker.pk).role == WORKER


def test_an_admin_edits_name_and_position(admin: Account, worker: Account, browser: SignIn) -> None:
    send(browser(admin), worker, "/edit", full_name="<script>alert(1)</script>", position="Feeder")
    shown = browser(admin).get(account_page(worker)).content.decode()
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert" in shown


def test_an_account_that_is_not_there_is_not_found(admin: Account, browser: SignIn) -> None:
    client = browser(admin)
    nobody = uuid.uuid4()
    assert client.get(f"/accounts/{nobody}").status_code == 404
    assert client.post(f"/accounts/{nobody}/deactivate", {"form_key": uuid.uuid4()}).status_code == 404


def test_an_invitation_leads_from_the_form_to_a_signed_in_person(admin: Account, browser: SignIn) -> None:
    client = browser(admin)
    form = keyed(email="New@popug.example", full_name="Nora Neu", role=MANAGER)
    assert "Invited" in said(client.post("/accounts/invite", form, follow=True))
    services.mail_send(clock=timezone.now)
    link = re.search(r"http://\S+(/link\?token=\S+)", outbox.outbox[0].body).group(1)
    stranger = Client()
    assert "new@popug.example" in stranger.get(link).content.decode()
    assert stranger.post(link, keyed(password="short")).status_code == 422
    assert stranger.post(link, keyed(password="round cages")).status_code == 302
    assert stranger.get(link).status_code == 410
    assert stranger.post("/login", {"email": "new@popug.example", "password": "round cages"}).status_code == 302


def test_a_taken_address_is_said_at_the_field(admin: Account, worker: Account, browser: SignIn) -> None:
    form = keyed(email=worker.email.upper(), full_name="W", role=WORKER)
    response = browser(admin).post("/accounts/invite", form)
    assert "an account with this address already" in response.content.decode()


def test_history_of_a_created_account_names_who_made_it(admin: Account, worker: Account, browser: SignIn) -> None:
    entry = page(browser(admin).get(account_page(worker))).select_one(".timeline li").get_text(" ", strip=True)
    assert entry.startswith("Created by the system")
    assert "Role: worker" in entry


def test_dead_letters_are_for_admins(admin: Account, worker: Account, browser: SignIn) -> None:
    assert browser(admin).get("/dead-letters/").status_code == 200
    assert browser(worker).get("/dead-letters/").status_code == 403


@pytest.mark.parametrize(
    ("part", "field", "first", "second"),
    [
        ("/edit", "full_name", "Wilma Weber", "Wilma Wolf"),
        ("/role", "role", MANAGER, FINANCE),
    ],
)
def test_another_text_under_a_used_key_is_said_and_kept_and_saved_when_sent_again(
    admin: Account, worker: Account, browser: SignIn, part: str, field: str, first: str, second: str
) -> None:
    client, address = browser(admin), account_page(worker, part)
    used = form_of(client.get(account_page(worker)), address) | {field: first}
    client.post(address, used)
    refused = client.post(address, used | {field: second})
    assert refused.status_code == 422
    assert "sent before" in refused.content.decode()
    assert getattr(Account.objects.get(pk=worker.pk), field) == first
    again = form_of(refused, address)
    assert again[field] == second
    client.post(address, again)
    assert getattr(Account.objects.get(pk=worker.pk), field) == second


def test_another_person_under_the_key_of_an_invitation_is_said_and_kept(admin: Account, browser: SignIn) -> None:
    client = browser(admin)
    used = keyed(email="nora@popug.example", full_name="Nora", role=WORKER)
    client.post("/accounts/invite", used)
    refused = client.post("/accounts/invite", used | {"email": "otto@popug.example"})
    assert refused.status_code == 422
    assert "sent before" in refused.content.decode()
    assert form_of(refused, None)["email"] == "otto@popug.example"
    assert not Account.objects.filter(email="otto@popug.example").exists()


def test_another_name_of_ones_own_under_a_used_key_is_said_and_kept(worker: Account, browser: SignIn) -> None:
    client = browser(worker)
    used = keyed(full_name="Wilma")
    client.post("/profile", used)
    refused = client.post("/profile", used | {"full_name": "Wilhelmina"})
    assert "sent before" in refused.content.decode()
    assert "Wilhelmina" in refused.content.decode()
    assert Account.objects.get(pk=worker.pk).full_name == "Wilma"


@pytest.mark.parametrize("part", ["/deactivate", "/reactivate", "/unlock", "/link"])
def test_a_button_pressed_before_says_so_when_what_it_did_was_changed_since(
    admin: Account, worker: Account, make_account: Make, browser: SignIn, part: str
) -> None:
    client, actor, now = browser(admin), str(admin.pk), timezone.now()
    account = make_account("new@popug.example", confirmed=False) if part == "/link" else worker
    lock = {"email": account.email, "password": "wrong"}
    if part == "/reactivate":
        services.account_deactivate(account_id=account.pk, actor_id=actor, now=now)
    elif part == "/unlock":
        for _ in range(10):
            Client().post("/login", lock)
    used = form_of(client.get(account_page(account)), account_page(account, part))
    first, again = (client.post(account_page(account, part), used, follow=True) for _ in range(2))
    assert said(first)
    assert said(first) == said(again), "the same form sent twice has the same answer"
    if part == "/deactivate":
        services.account_reactivate(account_id=account.pk, actor_id=actor, now=now)
    elif part == "/reactivate":
        services.account_deactivate(account_id=account.pk, actor_id=actor, now=now)
    elif part == "/unlock":
        for _ in range(10):
            Client().post("/login", lock)
    else:
        OneTimeLink.objects.update(expires_at=now)
    before = AccountChange.objects.count()
    late = client.post(account_page(account, part), used, follow=True)
    assert "pressed before" in said(late)
    assert said(first) not in said(late)
    assert AccountChange.objects.count() == before
    fresh = form_of(late, account_page(account, part))
    assert said(client.post(account_page(account, part), fresh, follow=True)) == said(first)


def test_a_role_that_was_changed_since_is_not_said_to_be_given_by_the_old_form(
    admin: Account, worker: Account, browser: SignIn
) -> None:
    client, address = browser(admin), account_page(worker, "/role")
    used = form_of(client.get(account_page(worker)), address) | {"role": MANAGER}
    client.post(address, used)
    services.account_role_change(account_id=worker.pk, role=FINANCE, actor_id=str(admin.pk), now=timezone.now())
    late = client.post(address, used)
    assert "sent before" in late.content.decode()
    assert form_of(late, address)["role"] == MANAGER
    assert Account.objects.get(pk=worker.pk).role == FINANCE
