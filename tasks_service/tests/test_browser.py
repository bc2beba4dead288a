"""The pages in a real browser: no fault of accessibility in any state, the keyboard, and what moves by itself."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from dev.faults import faults
from tasks import services
from tasks.domain import Heading
from tasks.models import Contact, Delivery, Reassignment, Task

from .support.story import pages_of
from .support.work import edit, new_task, price, rng

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover]  # traced, it takes twice as long


def test_no_page_has_a_fault_in_any_theme_and_size(open_page, story, manager, worker):
    pages = {account: open_page("/", account) for account in (manager, worker)}
    for account, path in pages_of(story, manager, worker):
        pages[account].goto(path)
        assert faults(pages[account], f"tasks {account.role} {path}") == []


def test_empty_pages_and_refused_forms_have_no_fault_either(open_page, manager, worker):
    page = open_page("/", manager)
    for path in (
        "/",
        "/?show=done",
        "/reassignments",
        "/reassignments/new",
        "/notifications",
        "/nowhere",
        "/dead-letters/",
    ):
        page.goto(path)
        assert faults(page, f"tasks empty {path}") == []
    page.goto("/")
    page.locator("summary", has_text="Export").click()
    assert faults(page, "tasks open menu of exports") == []
    page.goto("/tasks/new")
    page.get_by_label("Title").fill("no [brackets]")
    page.get_by_role("button", name="Create task").click()
    expect(page.get_by_text("A title has no [ or ]")).to_be_visible()
    assert faults(page, "tasks refused") == []
    task = new_task(manager, "Wash")
    page.goto(f"/tasks/{task.pk}/edit")
    edit(task, worker if task.creator_id == worker.pk else manager, Heading("Wash it"))
    page.get_by_label("Title").fill("Wash them")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("has edited this task")
    assert faults(page, "tasks edited meanwhile") == []


def test_of_two_who_edit_at_once_the_second_sees_both_texts_and_chooses(open_page, worker, manager):
    task = new_task(worker, "Wash", description="Both sides.")
    mine, theirs = open_page("/", worker), open_page("/", manager)

    def save(page, title, button="Save"):
        page.get_by_label("Title").fill(title)
        page.get_by_role("button", name=button).click()

    for page in (mine, theirs):
        page.goto(f"/tasks/{task.pk}/edit")
    save(theirs, "Wash it")
    expect(theirs.get_by_role("heading", name="Wash it")).to_be_visible()
    save(mine, "Wash them")
    expect(mine.get_by_role("alert")).to_contain_text("Max Braun has edited this task")
    expect(mine.get_by_role("region", name="The text as Max Braun saved it")).to_contain_text("Wash it")
    expect(mine.get_by_label("Title")).to_have_value("Wash them")
    theirs.goto(f"/tasks/{task.pk}/edit")
    mine.get_by_role("button", name="Save mine").click()
    expect(mine.get_by_role("heading", name="Wash them")).to_be_visible()
    # The other way round: who comes second now keeps what the first one saved.
    save(theirs, "Wash all of it")
    expect(theirs.get_by_role("alert")).to_contain_text("Wilma Weber has edited this task")
    expect(theirs.get_by_label("Title")).to_have_value("Wash all of it")
    theirs.get_by_role("link", name="Keep theirs").click()
    expect(theirs.get_by_role("heading", name="Wash them")).to_be_visible()
    newest, before = theirs.locator(".timeline li").filter(has_text="Edited by").all()
    expect(newest).to_contain_text("Edited by Wilma Weber")
    assert newest.locator("dd").all_inner_texts() == ["Wash it", "Wash them"]
    expect(before).to_contain_text("Edited by Max Braun")
    assert before.locator("dd").all_inner_texts() == ["Wash", "Wash it"]
    task.refresh_from_db()
    assert (task.title, task.description, task.version) == ("Wash them", "Both sides.", 3)


REFUSED = "SMTPRecipientsRefused: {'wilma.weber@popug.example': (550, b'5.1.1 <wilma.weber@popug.example>: Recipient"


def test_channels_and_messages_in_every_state_have_no_fault(open_page, worker, gateway):
    now = timezone.now()
    later = now + timedelta(minutes=8)
    Contact.objects.create(account_id=worker.pk, channel="sms", address="+4915123456789", enabled=True)
    services.code_send(actor=worker, channel="slack", address="U024BE7LH", now=now, rng=rng())
    services.code_confirm(actor=worker, channel="slack", code="000000", now=now)
    for number, (channel, state) in enumerate(
        [
            ("mail", {"done_at": now, "attempts": 1}),
            ("mail", {"next_attempt_at": later, "attempts": 4, "last_error": f"{REFUSED} address rejected')}}"}),
            ("mail", {"next_attempt_at": None, "attempts": 12, "last_error": f"{REFUSED} address rejected')}}"}),
            ("sms", {"next_attempt_at": None, "attempts": 1, "last_error": "502 Bad Gateway"}),
            ("sms", {"next_attempt_at": later, "attempts": 0, "last_error": "waits for an address"}),
        ]
    ):
        Delivery.objects.create(
            account_id=worker.pk,
            channel=channel,
            kind="tasks",
            message_id=f"<{number}@popug.example>",
            subject="3 new tasks for you",
            body="Wash the cage\nhttps://tasks.popug.example/tasks/1\nFeed the birds",
            created_at=now - timedelta(hours=number),
            **{"next_attempt_at": now} | state,
        )
    page = open_page("/notifications", worker)
    page.locator("summary", has_text="3 new tasks").first.click()
    assert faults(page, "tasks channels and messages") == []
    page.get_by_role("button", name="Another address").click()
    page.get_by_label("Slack member ID").fill("@wilma")
    page.get_by_role("button", name="Send me a code").click()
    expect(page.get_by_text("A member ID begins with U or W")).to_be_visible()
    assert faults(page, "tasks a wrong address") == []


def test_what_a_line_will_become_shows_while_one_types(open_page, worker):
    page = open_page("/", worker)
    page.keyboard.press("c")
    page.keyboard.type("[popug-7] Wash")
    reading = page.locator("#reading")
    expect(reading).to_contain_text("Read as: POPUG-7 Wash")
    page.keyboard.type(" [the cage]")
    expect(reading).to_contain_text("A title has no [ or ]")


def test_a_price_appears_by_itself_when_it_arrives(open_page, worker, manager):
    task = new_task(manager, "Wash")
    page = open_page("/", worker)
    row = page.locator(f"#task-{task.pk}")
    expect(row).to_contain_text("being priced")
    price(task, fee=1700, reward=2900)
    expect(row).to_contain_text("$17.00")
    expect(row).to_contain_text("$29.00")
    expect(row).not_to_contain_text("being priced")


def test_a_workers_day_by_keyboard_alone(open_page, worker, manager):
    new_task(manager, "Feed", minutes=1)
    page = open_page("/", worker)
    page.keyboard.press("c")
    page.keyboard.type("[popug-7] Wash")
    page.keyboard.press("Enter")
    expect(page.locator("#task-rows tr")).to_have_count(2)
    expect(page.locator("#reading")).to_contain_text("Wilma Weber got it: [POPUG-7] Wash")
    assert faults(page, "tasks added") == []
    expect(page.locator(".htmx-added")).to_have_count(0)  # until then Done is a plain form
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("x")
    first = page.locator("#task-rows tr").first
    expect(first).to_contain_class("is-done")
    assert Task.objects.get(jira_id="POPUG-7").status == "done"
    expect(page.locator(".htmx-added")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("u undo")
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    expect(first.get_by_role("button", name="Done")).to_be_visible()
    assert Task.objects.get(jira_id="POPUG-7").status == "open"
    expect(page.locator(".htmx-added")).to_have_count(0)
    page.keyboard.press("Tab")
    expect(first.get_by_role("button", name="Done")).to_be_focused()
    page.keyboard.press("Enter")
    expect(first).to_contain_class("is-done")
    assert Task.objects.get(jira_id="POPUG-7").completion_no == 2
    page.reload()
    page.keyboard.press("/")
    page.keyboard.type("fee")
    page.keyboard.press("Enter")
    expect(page.locator("#task-rows tr")).to_have_count(1)
    expect(page.locator("#task-rows")).to_contain_text("Feed")


def test_news_is_offered_and_nothing_moves_until_it_is_asked_for(open_page, worker, manager):
    page = open_page("/", worker)
    for n in range(3):
        new_task(manager, f"News {n}", now=timezone.now() + timedelta(seconds=5))
    page.evaluate("document.querySelectorAll('[data-poll]').forEach((one) => htmx.trigger(one, 'poll'))")
    expect(page.get_by_role("link", name="3 new tasks, show")).to_be_visible()
    assert faults(page, "tasks news") == []
    expect(page.locator("#task-rows tr")).to_have_count(0)
    page.get_by_role("link", name="3 new tasks, show").click()
    expect(page.locator("#task-rows tr")).to_have_count(3)


def quick_added(page, title):
    page.get_by_label("New task").fill(title)
    page.get_by_role("button", name="Add task").click()
    expect(page.locator("#reading")).to_contain_text(f"got it: {title}")


def test_a_task_that_was_added_is_not_there_to_be_added_again(open_page, worker, manager):
    new_task(manager, "Mend")
    page = open_page("/", worker)
    quick_added(page, "Wash")
    quick_added(page, "Feed")
    # As from another service: the browser says no page of ours as the one it came from. F5 repeats that.
    page.goto("/")
    for again in ("Dry", "Sweep"):
        expect(page.get_by_label("New task")).to_have_value("")
        expect(page.get_by_role("alert")).to_have_count(0)
        quick_added(page, again)
        page.reload()
    assert sorted(Task.objects.values_list("title", flat=True)) == ["Dry", "Feed", "Mend", "Sweep", "Wash"]


def test_after_back_another_task_is_not_taken_for_the_first(open_page, worker, manager):
    new_task(manager, "Mend")
    page = open_page("/", worker)
    quick_added(page, "Wash")
    page.locator("#task-rows").get_by_role("link", name="Wash").click()
    expect(page.get_by_role("heading", name="Wash")).to_be_visible()
    page.go_back()
    page.get_by_label("New task").fill("Feed")
    page.get_by_role("button", name="Add task").click()
    reading = page.locator("#reading")
    expect(reading).to_contain_text(re.compile(r"sent before|got it:\s+Feed"))
    if Task.objects.count() == 2:  # the page came back with the form that was sent before
        expect(reading).to_contain_text("sent before")
        expect(page.get_by_label("New task")).to_have_value("Feed")
        page.get_by_role("button", name="Add task").click()
    expect(reading).to_contain_text("got it: Feed")
    assert sorted(Task.objects.values_list("title", flat=True)) == ["Feed", "Mend", "Wash"]


def test_after_back_a_done_that_was_undone_is_said_and_can_be_done(open_page, worker, manager):
    task = new_task(manager, "Wash")
    page = open_page("/", worker)
    row = page.locator(f"#task-{task.pk}")
    row.get_by_role("button", name="Done").click()
    row.get_by_role("button", name="Undo").click()
    expect(row.get_by_role("button", name="Done")).to_be_visible()
    row.get_by_role("link", name="Wash").click()
    expect(page.get_by_role("heading", name="Wash")).to_be_visible()
    page.go_back()
    row.get_by_role("button", name="Done").click()
    expect(row.locator(".notice").or_(row.get_by_role("button", name="Undo"))).to_be_visible()
    if Task.objects.get().is_open:  # the page came back with the button that was pressed before
        expect(row.get_by_role("alert")).to_contain_text("pressed before")
        assert faults(page, "tasks pressed before") == []
        row.get_by_role("button", name="Done").click()
    expect(row.get_by_role("button", name="Undo")).to_be_visible()
    assert faults(page, "tasks a row that is done") == []
    assert Task.objects.get().completion_no == 2


def test_an_impatient_second_press_on_done_is_none_on_undo(open_page, worker, manager):
    task = new_task(manager, "Wash")
    page, undone = open_page("/", worker), []
    page.on("request", lambda request: undone.append(request.url) if request.url.endswith("/undo") else None)
    row = page.locator(f"#task-{task.pk}")
    done = row.get_by_role("button", name="Done").bounding_box()
    place = done["x"] + done["width"] / 2, done["y"] + done["height"] / 2
    hold = "seconds => document.documentElement.style.setProperty('--hold', seconds)"
    page.evaluate(hold, "60s")  # a moment that no busy machine oversleeps
    page.mouse.click(*place)
    expect(row.get_by_role("button", name="Undo")).to_be_visible()
    page.mouse.click(*place)
    page.evaluate(hold, "0s")
    row.get_by_role("button", name="Undo").click(trial=True)
    assert undone == []
    assert Task.objects.get().completion_no == 1
    row.get_by_role("button", name="Undo").click()
    expect(row.get_by_role("button", name="Done")).to_be_visible()
    assert len(undone) == 1


def test_a_button_that_was_pressed_leaves_no_notice_behind(open_page, worker, manager):
    task = new_task(manager, "Wash")
    page = open_page("/", worker)
    row = page.locator(f"#task-{task.pk}")
    row.get_by_role("button", name="Done").click()
    row.get_by_role("button", name="Undo").click()
    expect(row.get_by_role("button", name="Done")).to_be_visible()
    page.reload()
    expect(row.get_by_role("button", name="Done")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_what_was_typed_offline_is_there_after_a_reload_and_becomes_a_task(open_page, worker, manager):
    new_task(manager, "Mend")
    page = open_page("/", worker)
    quick_added(page, "Wash")
    page.context.set_offline(True)
    page.get_by_label("New task").fill("Feed")
    page.get_by_role("button", name="Add task").click()
    expect(page.get_by_role("alert")).to_have_count(1)
    expect(page.get_by_role("alert")).to_contain_text("No connection")
    page.context.set_offline(False)
    page.reload()
    expect(page.get_by_label("New task")).to_have_value("Feed")
    expect(page.get_by_role("alert")).to_contain_text("what you had typed is still here")
    page.get_by_role("button", name="Add task").click()
    expect(page.locator("#reading")).to_contain_text("got it: Feed")
    assert sorted(Task.objects.values_list("title", flat=True)) == ["Feed", "Mend", "Wash"]


def test_a_notice_in_a_row_fits_on_a_phone(open_page, worker, manager):
    task = new_task(manager, "Wash")
    page = open_page("/", worker, viewport={"width": 390, "height": 844})
    row = page.locator(f"#task-{task.pk}")
    page.context.set_offline(True)
    row.get_by_role("button", name="Done").click()
    box = row.get_by_role("alert").get_by_role("button", name="Retry").bounding_box()
    card = row.bounding_box()
    assert card["x"] <= box["x"]
    assert box["x"] + box["width"] <= card["x"] + card["width"]
    assert page.evaluate("document.querySelector('#list').scrollWidth <= document.querySelector('#list').clientWidth")
    page.context.set_offline(False)
    row.get_by_role("button", name="Retry").click()
    expect(row.get_by_role("button", name="Undo")).to_be_visible()
    expect(row.get_by_role("alert")).to_have_count(0)


def test_the_address_names_the_run_also_after_a_press_that_was_two(open_page, worker, manager):
    new_task(manager, "Wash")
    page = open_page("/reassignments/new", manager)
    page.get_by_role("button", name="Reassign 1 task").dblclick()
    page.wait_for_url(re.compile(r"/reassignments/[0-9a-f-]{36}$"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert Reassignment.objects.count() == 1
