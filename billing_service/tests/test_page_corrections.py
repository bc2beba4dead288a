"""Finance corrects: form, preview, entry; a wrong correction is answered by its opposite, once (B6)."""

from uuid import uuid4

import pytest

from billing.models import Transfer
from billing.selectors.ledger_check import ledger_findings
from chassis.replica.models import Account
from eventbus.testing import deliver
from tests.make import BORIS, BOSS, WILMA, account, assigned, completed, fee, open_cycle, reward, task_id
from tests.pages import dollars, page, rows, soup_of, text

pytestmark = pytest.mark.django_db
TASK = task_id()
REASON = "The reward of last week was lost."
NEW = "/corrections/new"
ODD_AMOUNTS = [
    "-5", "+5", "1.005", "5.", ".5", "12,50", "1,000", "$5", "1 0", "1e2", "1_0", "0x10", "NaN", "Infinity",
    "\N{ARABIC-INDIC DIGIT THREE}", "\N{FULLWIDTH DIGIT ONE}\N{FULLWIDTH DIGIT TWO}", "\N{PARROT}",
]  # fmt: skip
STRANGE = ["<script>alert(1)</script>", "=cmd()|'/C calc'!A0", "\N{PARROT} took the wrong cage", "שלום לתוכי היקר"]


@pytest.fixture
def finance(browser):
    return browser("finance")


def typed(**given):
    fields = {
        "form_key": str(uuid4()),
        "worker": "Wilma Weber",
        "direction": "pay",
        "amount": "12.50",
        "reason": REASON,
        "about": "",
    }
    return {**fields, **given}


def errors(response):
    assert response.status_code == 422
    return [text(error) for error in soup_of(response).select(".field-error")]


class TestPosting:
    def test_the_preview_shows_the_balance_before_and_after(self, finance, worked):
        soup = soup_of(finance.post(NEW, typed(direction="take", amount="50")))
        before = reward(TASK) - fee(TASK)
        found = {text(fact.p): text(fact.select_one(".fact-value")) for fact in soup.select(".fact")}
        assert found == {"Balance before": dollars(before), "Balance after": dollars(before - 5000)}
        assert REASON in text(soup)
        assert not Transfer.objects.filter(kind="adjustment").exists()

    def test_what_was_previewed_is_posted_and_the_worker_reads_the_reason(self, browser, finance, worked):
        given = typed()
        form = soup_of(finance.post(NEW, given)).select_one("main form")
        hidden = {field["name"]: field["value"] for field in form.select("input") if field.get("value") is not None}
        reason = form.select_one("[name=reason]")
        hidden["reason"] = reason.get("value") or reason.get_text()
        response = finance.post(NEW, {**hidden, "step": "post"}, follow=True)
        entry = Transfer.objects.get(kind="adjustment")
        assert response.redirect_chain == [(f"/entries/{entry.id}", 302)]
        assert "The correction is posted" in response.content.decode()
        assert (entry.change, entry.account_id, entry.actor_id) == (1250, WILMA, str(finance.account.id))
        wilma = browser(who=Account.objects.get(id=WILMA))
        line = rows(page(wilma, "/statement"))[0]
        assert line[1:4] == ["Correction", f"{REASON} corrected by S. finance, {line[0].split(', ')[1][:5]}", "+$12.50"]
        assert ledger_findings() == []

    def test_a_form_sent_twice_books_once_and_gives_the_same_answer(self, finance, worked):
        given = typed(step="post")
        first, again = finance.post(NEW, given), finance.post(NEW, given)
        assert first.headers["Location"] == again.headers["Location"]
        assert Transfer.objects.filter(kind="adjustment").count() == 1

    def test_a_form_changed_after_it_was_sent_books_what_it_said_first_and_says_so(self, finance, worked):
        given = typed(step="post")
        finance.post(NEW, given)
        again = finance.post(NEW, given, follow=True)
        assert "posted before" not in again.content.decode()
        changed = finance.post(NEW, {**given, "amount": "99"}, follow=True)
        assert "This form was posted before" in changed.content.decode()
        assert Transfer.objects.get(kind="adjustment").change == 1250

    def test_from_the_preview_one_can_go_back_and_change_it(self, finance, worked):
        soup = soup_of(finance.post(NEW, typed(step="edit", worker=str(WILMA), amount="0.07")))
        assert soup.select_one("[name=worker]")["value"] == "wilma@popug.example"
        assert soup.select_one("[name=amount]")["value"] == "0.07"
        assert not soup.select(".field-error")

    def test_it_can_be_about_an_entry_and_then_about_its_task(self, finance, worked):
        entry = Transfer.objects.get(kind="earning")
        finance.post(NEW, typed(step="post", about=f"http://127.0.0.1:4000/entries/{entry.id}"))
        made = Transfer.objects.get(kind="adjustment")
        assert (made.about, made.task_id) == (entry.id, TASK)

    @pytest.mark.parametrize("about", ["POPUG-42", "popug-42", "wash cage", str(TASK)])
    def test_it_can_be_about_a_task(self, finance, worked, about):
        finance.post(NEW, typed(step="post", about=about))
        made = Transfer.objects.get(kind="adjustment")
        assert (made.about, made.task_id) == (None, TASK)

    def test_a_link_from_a_statement_fills_the_worker_in(self, finance, worked):
        soup = page(finance, f"{NEW}?worker={WILMA}&about=POPUG-42")
        assert soup.select_one("[name=worker]")["value"] == "wilma@popug.example"
        assert soup.select_one("[name=about]")["value"] == "POPUG-42"

    def test_a_worker_of_whom_only_the_id_is_known_can_be_corrected(self, finance):
        open_cycle()
        stranger = uuid4()
        deliver("tasks", [assigned(account=stranger)])
        finance.post(NEW, typed(step="post", worker=str(stranger)))
        assert Transfer.objects.get(kind="adjustment").account_id == stranger


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("given", "error"),
        [
            ({"worker": ""}, "This field is required."),
            ({"worker": "Nobody"}, "Nobody is called so."),
            ({"worker": "=cmd()"}, "Nobody is called so."),
            ({"direction": "both"}, "Select a valid choice."),
            ({"amount": ""}, "Say how much."),
            ({"amount": "0"}, "At least $0.01."),
            ({"amount": "0.00"}, "At least $0.01."),
            ({"amount": "1000.01"}, "At most $1,000.00."),
            ({"amount": "9" * 400}, "At most $1,000.00."),
            *(({"amount": odd}, "An amount is digits, with a point for cents: 12.50.") for odd in ODD_AMOUNTS),
            ({"reason": "too short"}, "at least 10 characters"),
            ({"reason": "\N{ZERO WIDTH SPACE}" * 12}, "at least 10 characters that one sees"),
            ({"reason": "\N{HANGUL FILLER}" * 12}, "at least 10 characters that one sees"),
            ({"reason": "because" + "\N{ZERO WIDTH JOINER}" * 9}, "at least 10 characters that one sees"),
            ({"reason": f"a{' ' * 20}b"}, "at least 10 characters that one sees"),
            ({"reason": "x" * 501}, "at most 500 characters"),
            ({"reason": " " * 40}, "This field is required."),
            ({"about": "ABC-99"}, "There is no entry or task like this."),
            ({"about": str(uuid4())}, "There is no entry or task like this."),
        ],
    )
    def test_a_field_that_is_wrong_says_so_and_keeps_what_was_typed(self, finance, worked, given, error):
        response = finance.post(NEW, typed(**given))
        assert any(error in found for found in errors(response)), errors(response)
        [(name, value)] = given.items()
        field = soup_of(response).select_one(f"[name={name}]:not([type=radio])")
        assert field is None or value.strip() in (field.get("value", ""), field.get_text().strip())
        assert not Transfer.objects.filter(kind="adjustment").exists()

    @pytest.mark.parametrize("reason", STRANGE)
    def test_a_strange_reason_is_text_and_nothing_else(self, finance, worked, reason):
        response = finance.post(NEW, typed(step="post", reason=reason), follow=True)
        assert response.status_code == 200
        assert reason in text(soup_of(response))
        assert b"<script>alert" not in response.content
        exported = b"".join(finance.get("/corrections/export?format=csv").streaming_content).decode("utf-8-sig")
        assert ("'=cmd()" in exported) == reason.startswith("=")

    def test_nobody_corrects_the_own_account(self, browser, worked):
        client = browser(who=account(name="Fatima Farouk", role="finance"))
        deliver("tasks", [assigned(task_id(8), account=client.account.id)])
        for step in ("preview", "post"):
            response = client.post(NEW, typed(worker="fatima@popug.example", step=step))
            assert errors(response) == ["This is your own account: a colleague of finance has to post it."]
        assert not Transfer.objects.filter(kind="adjustment").exists()
        for address in ("/statement", f"/entries/{Transfer.objects.get(account_id=client.account.id).id}"):
            assert not page(client, address).select(f"a[href^='{NEW}']")

    @pytest.mark.parametrize("who", ["Max Braun", str(BOSS)])
    def test_who_is_no_worker_and_has_no_ledger_account_is_refused(self, finance, worked, who):
        said = errors(finance.post(NEW, typed(worker=who)))
        assert said == ["Only workers, and whoever has a statement already, can be corrected."]
        deliver("tasks", [assigned(task_id(8), account=BOSS)])
        assert "Preview of a correction" in text(soup_of(finance.post(NEW, typed(worker=who))))

    def test_an_entry_of_another_worker_is_refused(self, finance, worked):
        entry = Transfer.objects.get(account_id=BORIS)
        assert "That entry is another worker's." in errors(finance.post(NEW, typed(about=str(entry.id))))

    def test_several_people_of_one_name_are_offered_as_choices(self, finance, worked):
        account(name="Wilma Winter", email="winter@popug.example")
        response = finance.post(NEW, typed(worker="wilma w"))
        assert errors(response) == ["Several people are called so: choose one of them."]
        buttons = soup_of(response).select("button[name=worker]")
        assert {text(button) for button in buttons} == {
            "Wilma Weber wilma@popug.example",
            "Wilma Winter winter@popug.example",
        }
        given = typed(worker=["wilma w", buttons[0]["value"]])
        assert "Preview of a correction" in text(soup_of(finance.post(NEW, given)))

    def test_ten_megabytes_of_reason_are_refused_in_the_house_style(self, finance, worked):
        response = finance.post(NEW, typed(reason="x" * 10_000_000))
        assert response.status_code in (400, 413, 422)
        assert "Task Tracker" in response.content.decode()
        assert not Transfer.objects.filter(kind="adjustment").exists()

    @pytest.mark.parametrize("role", ["admin", "manager", "worker"])
    def test_only_finance_may_post(self, browser, worked, role):
        client = browser(role)
        assert client.get(NEW).status_code == 403
        assert client.post(NEW, typed(step="post")).status_code == 403
        assert not Transfer.objects.filter(kind="adjustment").exists()


class TestTheList:
    def test_admins_read_corrections_and_post_none(self, browser, finance, worked):
        finance.post(NEW, typed(step="post"))
        soup = page(browser("admin"), "/corrections")
        assert [row[1:] for row in rows(soup)] == [["Wilma Weber", REASON, "S. finance", "+$12.50"]]
        assert not soup.select(f"a[href^='{NEW}']")

    def test_one_worker_only(self, finance, worked):
        finance.post(NEW, typed(step="post"))
        assert len(rows(page(finance, f"/corrections?worker={WILMA}"))) == 1
        assert "This worker has no correction" in text(page(finance, f"/corrections?worker={BORIS}"))
        for wrong in ("worker=wilma", "who=x", "sort=amount"):
            assert finance.get(f"/corrections?{wrong}").status_code == 400

    def test_nothing_corrected_yet(self, finance):
        assert "Nothing was corrected yet" in text(page(finance, "/corrections"))

    @pytest.mark.parametrize("role", ["manager", "worker"])
    def test_others_do_not_see_it(self, browser, role):
        assert browser(role).get("/corrections").status_code == 403


class TestTakingBack:
    @pytest.fixture
    def wrong(self, finance, worked):
        finance.post(NEW, typed(step="post"))
        return Transfer.objects.get(kind="adjustment")

    def test_a_wrong_correction_is_answered_by_its_opposite_once(self, finance, wrong):
        address = f"/entries/{wrong.id}/take-back"
        assert page(finance, f"/entries/{wrong.id}").select_one(f"a[href='{address}']")
        soup = page(finance, address)
        given = {"form_key": soup.select_one("[name=form_key]")["value"], "reason": "It was the wrong worker."}
        answers = {finance.post(address, given).headers["Location"] for _ in range(2)}
        opposite = Transfer.objects.get(reverses=wrong.id)
        assert answers == {f"/entries/{opposite.id}"}
        assert (opposite.kind, opposite.change) == ("adjustment", -wrong.change)
        assert not page(finance, f"/entries/{wrong.id}").select(f"a[href='{address}']")
        listed = rows(page(finance, "/corrections"))
        assert "takes another back" in listed[0][2]
        assert "taken back" in listed[1][2]

    def test_an_old_page_says_that_it_was_done_before(self, finance, wrong):
        address = f"/entries/{wrong.id}/take-back"
        for _ in range(2):
            given = {"form_key": str(uuid4()), "reason": "It was the wrong worker."}
            response = finance.post(address, given, follow=True)
        assert "somebody did this before" in response.content.decode()
        assert Transfer.objects.filter(reverses=wrong.id).count() == 1

    def test_nobody_takes_back_what_is_on_the_own_account(self, browser, wrong):
        client = browser(who=Account.objects.get(id=WILMA))
        Account.objects.filter(id=WILMA).update(role="finance")
        address = f"/entries/{wrong.id}/take-back"
        assert not page(client, f"/entries/{wrong.id}").select(f"a[href='{address}']")
        assert "a colleague of finance has to do this" in text(page(client, address))
        response = client.post(address, {"form_key": str(uuid4()), "reason": REASON})
        assert response.status_code == 422
        assert not Transfer.objects.filter(reverses=wrong.id).exists()

    def test_the_form_of_what_was_taken_back_says_so_before_one_types_a_reason(self, finance, wrong):
        address = f"/entries/{wrong.id}/take-back"
        finance.post(address, {"form_key": str(uuid4()), "reason": "It was the wrong worker."})
        opposite = Transfer.objects.get(reverses=wrong.id)
        refused = finance.post(address, {"form_key": str(uuid4()), "reason": ""})
        assert refused.status_code == 422
        for soup in (page(finance, address), soup_of(refused)):
            assert "this correction was taken back before" in text(soup)
            assert soup.select_one(f"main a[href='/entries/{opposite.id}']")
            assert not soup.select("main form")

    def test_an_empty_reason_says_so(self, finance, wrong):
        response = finance.post(f"/entries/{wrong.id}/take-back", {"form_key": str(uuid4()), "reason": ""})
        assert errors(response) == ["This field is required."]

    def test_what_is_no_correction_cannot_be_taken_back(self, finance, worked):
        deliver("tasks", [completed(task_id(3))])
        for entry in Transfer.objects.all():
            assert finance.get(f"/entries/{entry.id}/take-back").status_code == 404

    @pytest.mark.parametrize("role", ["admin", "worker"])
    def test_nobody_else_may(self, browser, wrong, role):
        assert browser(role).post(f"/entries/{wrong.id}/take-back", {"reason": REASON}).status_code == 403


def test_names_are_offered_while_one_types(finance, worked):
    soup = soup_of(finance.get("/people?worker=wil"))
    assert [(option["value"], text(option)) for option in soup.select("option")] == [
        ("wilma@popug.example", "Wilma Weber")
    ]
    assert not soup_of(finance.get("/people?worker=")).select("option")


def test_whom_the_form_refuses_is_neither_suggested_nor_offered_as_a_choice(browser, worked):
    finance = browser(who=account(name="Willi Winter", email="willi@popug.example", role="finance"))
    boss = account(name="Wilhelm Wolf", email="wilhelm@popug.example", role="manager")
    retired = account(name="Wiltrud Wirth", email="wiltrud@popug.example", role="manager")
    deliver("tasks", [assigned(task_id(8), account=retired.id), assigned(task_id(9), account=finance.account.id)])
    suggested = [option["value"] for option in soup_of(finance.get("/people?worker=wil")).select("option")]
    assert sorted(suggested) == ["wilma@popug.example", "wiltrud@popug.example"]
    response = finance.post(NEW, typed(worker="wil"))
    assert errors(response) == ["Several people are called so: choose one of them."]
    assert [text(button).split()[-1] for button in soup_of(response).select("button[name=worker]")] == suggested
    for refused in (finance.account, boss):
        assert len(errors(finance.post(NEW, typed(worker=refused.email)))) == 1
    Account.objects.filter(id=retired.id).update(full_name="Gone", email="gone@popug.example")
    assert "Preview of a correction" in text(soup_of(finance.post(NEW, typed(worker="wil")))), "one is left"
