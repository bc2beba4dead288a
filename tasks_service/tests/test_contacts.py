"""How I am told: my channels, and addresses confirmed by a code sent to them (T5)."""

import re
from uuid import uuid4

import pytest
import time_machine

from chassis.replica.models import Account
from eventbus import Event
from tasks import domain, services
from tasks.domain import Refused
from tasks.models import ConfirmationCode, Contact, Delivery
from tasks.services import CodeOutcome

from .support.endpoints import http_endpoint
from .support.pages import soup, text_of
from .support.people import NOW, person
from .support.together import Held, meanwhile
from .support.work import at, new_task, rng

pytestmark = pytest.mark.django_db
NUMBER, MEMBER = "+4915123456789", "U024BE7LH"


@pytest.fixture
def gateway(settings):
    with http_endpoint(settings) as gateway:
        yield gateway


def send_code(account, minutes=0.0, channel="sms", address=NUMBER, seed=1):
    services.code_send(actor=account, channel=channel, address=address, now=at(minutes), rng=rng(seed))
    return re.match(r"\d{6}", Delivery.objects.filter(kind="code").latest("id").body)[0]


def confirm(account, code, minutes=1.0, channel="sms"):
    return services.code_confirm(actor=account, channel=channel, code=code, now=at(minutes))


def press(client, page, action, **typed):
    """Fill and send one of the page's forms."""
    form = page.find("form", action=action)
    assert form, f"no form for {action}"
    return client.post(action, {field["name"]: field.get("value", "") for field in form.select("input[name]")} | typed)


@pytest.mark.parametrize(
    ("channel", "typed", "address"),
    [
        ("sms", "+49 151 2345-6789", NUMBER),
        ("sms", " +1 (555) 010.9999 ", "+15550109999"),
        ("slack", " u024be7lh ", MEMBER),
        ("slack", "W0123456789", "W0123456789"),
    ],
)
def test_an_address_has_one_spelling(channel, typed, address):
    assert domain.address_read(channel, typed) == address


@pytest.mark.parametrize(
    ("channel", "typed"),
    [
        ("sms", "0151 23456789"),
        ("sms", "+49"),
        ("sms", "+4915123456789?to=evil"),
        ("sms", "+٤٩١٥١٢٣٤٥٦٧"),
        ("sms", "+49151\n23456789&x=1"),
        ("sms", "//evil.example/"),
        ("slack", "@channel"),
        ("slack", "U024BE7LH/../admin"),
        ("slack", "C024BE7LH"),
        ("slack", "U024BE7\u017fH"),
        ("slack", ""),
        ("mail", "a@b.example"),
    ],
)
def test_nothing_else_gets_into_the_operators_address(channel, typed):
    with pytest.raises(ValueError, match="not an address"):
        domain.address_read(channel, typed)


@pytest.mark.parametrize(
    ("channel", "template"), [("sms", "json://x/"), ("slack", "json://x/{number}"), ("sms", "json://{number}/{number}")]
)
def test_a_template_without_its_place_is_refused_at_the_start(channel, template):
    with pytest.raises(ValueError, match="exactly once"):
        domain.template_check(channel, template)
    assert domain.template_check(channel, "") == ""


def test_a_number_is_confirmed_by_the_code_that_was_sent_to_it(browser, gateway):
    me = browser("worker")
    page = soup(me.get("/notifications"))
    answer = press(me, page, "/notifications/sms/code", address="+49 151 23456789")
    assert answer.headers["Location"] == "/notifications"
    services.messages_send(clock=lambda: Delivery.objects.get().created_at)
    ((path, body),) = gateway.requests
    assert path == "/sms?to=%2B4915123456789"
    code = re.match(r"\d{6}", body["message"])[0]
    assert Delivery.objects.get().body == "", "a code is not kept once it is sent"
    page = soup(me.get("/notifications"))
    assert code not in page.get_text()
    assert not Contact.objects.exists()
    press(me, page, "/notifications/sms/confirm", code=code)
    contact = Contact.objects.get()
    assert (contact.account_id, contact.channel, contact.address, contact.enabled) == (
        me.account.pk,
        "sms",
        NUMBER,
        True,
    )
    assert f"{NUMBER} confirmed" in text_of(soup(me.get("/notifications")))


def test_a_channel_is_switched_off_and_on_and_its_address_forgotten(browser, gateway):
    me = browser("worker")
    confirm(me.account, send_code(me.account, channel="slack", address=MEMBER), channel="slack")
    press(me, soup(me.get("/notifications")), "/notifications/slack/switch")
    assert not Contact.objects.get().enabled
    press(me, soup(me.get("/notifications")), "/notifications/slack/switch")
    assert Contact.objects.get().enabled
    press(me, soup(me.get("/notifications")), "/notifications/slack/forget")
    assert not Contact.objects.exists()
    press(me, soup(me.get("/notifications")), "/notifications/mail/switch")
    assert not Contact.objects.get(channel="mail").enabled


def test_a_channel_without_a_confirmed_address_is_not_switched_on(browser, gateway):
    me = browser("worker")
    me.post("/notifications/sms/switch", {"form_key": str(uuid4()), "enabled": "on"})
    assert "Confirm an address first" in text_of(soup(me.get("/notifications")))
    assert not Contact.objects.exists()


def test_a_channel_that_is_not_set_up_is_not_offered(browser):
    me = browser("worker")
    page = soup(me.get("/notifications"))
    assert text_of(page).count("Not set up in this installation") == 2
    assert not page.select("form[action*=sms], form[action*=slack]")
    with pytest.raises(Refused, match="not set up"):
        send_code(me.account)
    answer = me.post("/notifications/sms/code", {"form_key": str(uuid4()), "address": NUMBER})
    assert answer.status_code == 422
    assert not Delivery.objects.exists()


def test_a_wrong_address_is_said_at_the_field_and_kept(browser, gateway):
    me = browser("worker")
    for channel, typed in (("sms", "0151 <script>"), ("slack", "=cmd()"), ("sms", ""), ("slack", "🦜")):
        page = soup(me.get("/notifications"))
        answer = press(me, page, f"/notifications/{channel}/code", address=typed)
        assert answer.status_code == 422
        field = soup(answer).select_one(f"#{channel}_address")
        assert field["value"] == typed if typed else not field.get("value")
        assert soup(answer).select_one(f"#{channel}_address_error")
    assert not ConfirmationCode.objects.exists()


def test_a_code_is_tried_five_times_at_most(gateway):
    me = person()
    code = send_code(me)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    assert [confirm(me, wrong) for _ in range(5)] == [CodeOutcome.WRONG] * 4 + [CodeOutcome.OVER]
    assert confirm(me, code) == CodeOutcome.OVER
    assert not Contact.objects.exists()


def test_the_page_says_how_many_tries_are_left(browser, gateway):
    me = browser("worker")
    with time_machine.travel(NOW, tick=False):
        code = send_code(me.account)
        press(me, soup(me.get("/notifications")), "/notifications/sms/confirm", code=f"{(int(code) + 1) % 10**6:06}")
        page = soup(me.get("/notifications"))
        assert "That was not the code. 4 tries left." in text_of(page)
        answer = press(me, page, "/notifications/sms/confirm", code="12x")
        assert answer.status_code == 422
        assert "A code has six digits." in text_of(soup(answer))
        assert ConfirmationCode.objects.get().tries == 1


def test_a_code_is_good_for_ten_minutes_and_once(gateway):
    me = person()
    code = send_code(me)
    assert confirm(me, code, minutes=10.1) == CodeOutcome.OVER
    assert confirm(me, code, minutes=10) == CodeOutcome.CONFIRMED
    assert confirm(me, code, minutes=10) == CodeOutcome.OVER


def test_a_code_is_good_for_its_person_and_channel_only(gateway):
    me, other = person(), person()
    code = send_code(me)
    assert confirm(other, code) == CodeOutcome.OVER
    assert confirm(me, code, channel="slack") == CodeOutcome.OVER


def test_a_later_code_replaces_the_earlier_one(gateway):
    me = person()
    first = send_code(me)
    second = send_code(me, minutes=2, address="+4915100000000", seed=2)
    assert first != second
    assert confirm(me, first, minutes=3) == CodeOutcome.WRONG
    assert confirm(me, second, minutes=3) == CodeOutcome.CONFIRMED
    assert Contact.objects.get().address == "+4915100000000"


def test_a_code_is_only_a_hash_in_the_database(gateway):
    code = send_code(person())
    assert code not in ConfirmationCode.objects.get().code_hash
    assert len(ConfirmationCode.objects.get().code_hash) == 64


def test_codes_are_sent_once_a_minute_and_five_times_a_day_to_a_person_and_to_an_address(gateway):
    me = person()
    send_code(me)
    with pytest.raises(Refused, match="on its way"):
        send_code(me, minutes=0.9)
    for minutes in (1, 2, 3, 4):
        send_code(me, minutes=minutes)
    with pytest.raises(Refused, match="Five codes a day"):
        send_code(me, minutes=60)
    with pytest.raises(Refused, match="Five codes a day"):
        send_code(person(), minutes=60)
    send_code(me, minutes=60, channel="slack", address=MEMBER)
    send_code(me, minutes=24 * 60 + 5)


def test_a_code_that_could_not_be_sent_in_time_is_given_up_and_forgotten(gateway):
    gateway.status = 500
    send_code(person())
    services.messages_send(clock=lambda: at(0))
    gateway.status = 200
    assert services.messages_send(clock=lambda: at(11)) == 0
    row = Delivery.objects.get()
    assert (row.state, row.body) == ("failed", "")
    assert gateway.requests == []


def test_a_form_sent_twice_sends_one_code_and_gives_the_same_answer(browser, gateway):
    me = browser("worker")
    fields = {"form_key": str(uuid4()), "address": NUMBER}
    answers = [me.post("/notifications/sms/code", fields) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert ConfirmationCode.objects.count() == 1


def test_broken_buttons_and_unknown_channels_are_refused(browser, gateway):
    me = browser("worker")
    key = {"form_key": str(uuid4())}
    assert me.post("/notifications/pigeon/switch", key).status_code == 404
    assert me.post("/notifications/mail/code", key).status_code == 404
    assert me.post("/notifications/mail/switch", {}).status_code == 400
    assert me.post("/notifications/sms/forget", {}).status_code == 400
    assert me.post("/notifications/messages/1/again", {}).status_code == 400
    assert me.get("/notifications/sms/code").status_code == 405


def test_everybody_sees_the_own_messages_only(browser, gateway, settings):
    me, other = browser("worker"), browser("manager")
    new_task(other.account, "Wash", assignee_id=me.account.pk)
    services.messages_compose(now=at(2))
    assert "New task: Wash" in text_of(soup(me.get("/notifications")))
    assert "No messages yet" in text_of(soup(other.get("/notifications")))


def test_the_page_takes_the_same_few_statements_whatever_there_is(browser, gateway, django_assert_num_queries):
    me = browser("worker")
    me.get("/notifications")
    with django_assert_num_queries(6):  # session, account, session's floor, contacts, codes, messages
        me.get("/notifications")
    for n in range(60):
        new_task(person("manager"), f"Task {n}", minutes=2 * n)
    services.messages_compose(now=at(999))
    with django_assert_num_queries(6):
        assert len(soup(me.get("/notifications")).select("tbody tr")) == 50


def test_the_addresses_of_a_deleted_account_are_forgotten(gateway):
    me = person()
    confirm(me, send_code(me))
    Account.objects.filter(pk=me.pk).update(is_active=False)
    event = Event(
        name="AccountDeleted", version=1, key=str(me.pk), time=NOW, data={"account_id": str(me.pk), "version": 9}
    )
    services.accounts_apply(events=[event], rng_of=domain.rng_of)
    assert not Contact.objects.exists()
    assert not ConfirmationCode.objects.exists()
    assert set(Delivery.objects.values_list("address", "next_attempt_at")) == {("", None)}


@pytest.mark.django_db(transaction=True)
def test_many_guesses_at_once_are_all_counted(gateway):
    me = person()
    code = send_code(me)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    first = Held(lambda: confirm(me, wrong))
    second = meanwhile(lambda: confirm(me, wrong))
    assert not second.done()
    first.commit()
    second.result(10)
    assert ConfirmationCode.objects.get().tries == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_codes_asked_for_at_once_one_is_sent(gateway):
    me = person()
    first = Held(lambda: send_code(me))
    second = meanwhile(lambda: send_code(me))
    first.commit()
    with pytest.raises(Refused):
        second.result(10)
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize("part", ["mail/switch", "sms/forget", "messages/again"])
def test_a_button_pressed_before_says_so_when_what_it_did_was_changed_since(browser, gateway, part):
    me = browser("worker")
    confirm(me.account, send_code(me.account))
    Delivery.objects.update(done_at=NOW, next_attempt_at=None)
    failed = Delivery.objects.create(
        account_id=me.account.pk, channel="mail", kind="tasks", message_id="<1@x>", created_at=NOW, next_attempt_at=None
    )
    action = f"/notifications/{part}".replace("again", f"{failed.pk}/again")
    page = soup(me.get("/notifications"))
    first, again = (said(press(me, page, action), me) for _ in range(2))
    assert first
    assert first == again
    if part == "mail/switch":
        services.contact_switch(actor=me.account, channel="mail", enabled=True)
    elif part == "sms/forget":
        confirm(me.account, send_code(me.account, minutes=2), minutes=3)
    else:
        Delivery.objects.filter(pk=failed.pk).update(next_attempt_at=None)
    before = list(Contact.objects.order_by("pk").values()), list(Delivery.objects.order_by("pk").values())
    assert "pressed before" in said(press(me, page, action), me)
    assert before == (list(Contact.objects.order_by("pk").values()), list(Delivery.objects.order_by("pk").values()))


def test_another_address_under_a_used_key_gets_no_code_and_stays_in_its_field(browser, gateway):
    me = browser("worker")
    page = soup(me.get("/notifications"))
    press(me, page, "/notifications/sms/code", address=NUMBER)
    answer = press(me, page, "/notifications/sms/code", address="+4915100000000")
    assert answer.status_code == 422
    assert "sent before" in text_of(soup(answer).select_one("#sms_address_error"))
    assert soup(answer).select_one("#sms_address")["value"] == "+4915100000000"
    assert Delivery.objects.get().address == NUMBER


def said(answer, client):
    assert answer.headers["Location"] == "/notifications"
    return text_of(soup(client.get("/notifications")).select_one("#messages"))
