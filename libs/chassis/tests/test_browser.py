"""The base page in a real browser: what is said when something goes wrong, keyboard, themes, and no request leaves."""

import pytest
from playwright.sync_api import expect
from sample.models import Sample

from chassis import exports
from dev.faults import faults


@pytest.fixture
def open_page(new_page, browser, samples):
    """Opens pages of the sample service, signed in."""

    def start(path, role="admin", **options):
        page = new_page(browser(role), **options)
        page.goto(path)
        return page

    return start


def test_a_saved_form_is_replaced_by_its_answer(open_page):
    page = open_page("/notes")
    page.get_by_label("Text").fill("<b>seeds</b>")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved: <b>seeds</b>")).to_be_visible()


def test_offline_is_said_where_one_pressed_and_retry_sends_what_was_typed(open_page):
    page = open_page("/notes")
    page.get_by_label("Text").fill("seeds")
    page.context.set_offline(True)
    page.get_by_role("button", name="Save").click()
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("No connection. Nothing was lost.")
    assert faults(page, "chassis offline") == []
    page.context.set_offline(False)
    notice.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("Saved: seeds")).to_be_visible()
    expect(notice).to_have_count(0)


def test_no_answer_in_time_is_said_where_one_pressed_and_retry_sends_what_was_typed(open_page):
    page = open_page("/notes")
    assert page.evaluate("htmx.config.timeout") == 10_000
    page.evaluate("htmx.config.timeout = 200")
    page.get_by_label("Text").fill("seeds")
    page.route("**/notes/save", lambda route: None)
    page.get_by_role("button", name="Save").click()
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("No answer within 10 seconds.")
    expect(page.get_by_label("Text")).to_have_value("seeds")
    assert faults(page, "chassis slow") == []
    page.unroute("**/notes/save")
    page.evaluate("htmx.config.timeout = 10000")
    notice.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("Saved: seeds")).to_be_visible()


def test_a_refusal_is_said_in_the_words_of_the_server_and_without_retry(open_page):
    page = open_page("/notes")
    page.get_by_role("button", name="Only for finance").click()
    expect(page.get_by_role("alert")).to_have_text("Only finance may do this.")
    assert faults(page, "chassis refused where one pressed") == []


def test_a_busy_database_is_said_with_retry(open_page):
    page = open_page("/notes")
    page.evaluate("document.getElementById('note').setAttribute('hx-post', '/database-away')")
    page.evaluate("htmx.process(document.getElementById('note'))")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("restarting or busy. Nothing was lost.")
    expect(page.get_by_role("button", name="Retry")).to_be_visible()


def test_what_was_typed_is_there_again_after_signing_in_anew(open_page):
    page = open_page("/notes")
    page.get_by_label("Text").fill("a long text")
    session = page.context.cookies()
    page.context.clear_cookies(name="tasks_session")
    page.route("**/login?*", lambda route: route.fulfill(body="<title>sign in</title>", content_type="text/html"))
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/login?next=%2Fnotes")
    page.context.add_cookies(session)
    # As after the sign-in service: the browser says no page of ours as the one it came from.
    page.goto("/notes")
    expect(page.get_by_label("Text")).to_have_value("a long text")
    expect(page.get_by_role("alert")).to_contain_text("what you had typed is still here")
    assert faults(page, "chassis what was typed is here again") == []
    page.reload()
    expect(page.get_by_label("Text")).to_have_value("")


def test_what_is_being_typed_is_kept_when_the_page_asks_for_something_and_leads_away_to_sign_in(open_page):
    page = open_page("/notes")
    page.get_by_label("Text").fill("a long text, not yet sent")
    session = page.context.cookies()
    page.context.clear_cookies(name="tasks_session")
    page.route("**/login?*", lambda route: route.fulfill(body="<title>sign in</title>", content_type="text/html"))
    page.evaluate("void htmx.ajax('GET', '/notes', '#note')")  # it leads away before it ends
    page.wait_for_url("**/login?next=%2Fnotes")
    page.context.add_cookies(session)
    page.goto("/notes")
    expect(page.get_by_label("Text")).to_have_value("a long text, not yet sent")


def test_what_was_sent_is_not_typed_again_nor_its_key_used_twice(open_page):
    page = open_page("/samples/new")
    page.get_by_label("Title").fill("Sent")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/samples?q=Sent")
    page.goto("/samples/new")
    expect(page.get_by_label("Title")).to_have_value("")


def test_a_form_that_its_answer_replaced_is_not_typed_again(open_page):
    page = open_page("/notes")
    page.get_by_label("Text").fill("seeds")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved: seeds")).to_be_visible()
    # As from another service, or by F5: the browser says no page of ours as the one it came from.
    page.goto("/notes")
    expect(page.get_by_label("Text")).to_have_value("")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_what_is_typed_again_goes_with_the_key_of_the_page_as_it_is_now(open_page):
    page = open_page("/samples/new")
    page.route("**/samples/new", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    page.get_by_label("Title").fill("Kept")
    key = page.locator("[name=form_key]").input_value()
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("chrome-error://**")
    page.goto("/samples/new")
    expect(page.get_by_label("Title")).to_have_value("Kept")
    expect(page.get_by_role("alert")).to_contain_text("what you had typed is still here")
    assert page.locator("[name=form_key]").input_value() != key


def test_a_button_has_nothing_that_could_be_typed_again(open_page):
    page = open_page("/samples")
    page.route("**/samples/new", lambda route: route.abort())
    page.get_by_role("button", name="Done").first.click()
    page.wait_for_url("chrome-error://**")
    page.goto("/samples")
    expect(page.locator("[data-row]").first).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_what_one_person_typed_is_not_shown_to_the_next(open_page, browser, live_server):
    page = open_page("/samples/new")
    page.route("**/samples/new", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    page.get_by_label("Title").fill("Private")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("chrome-error://**")
    session = browser("worker").cookies["tasks_session"].value
    page.context.add_cookies([{"name": "tasks_session", "value": session, "url": live_server.url}])
    page.goto("/samples/new")
    expect(page.locator(".role")).to_have_text("worker")
    expect(page.get_by_label("Title")).to_have_value("")


def test_a_button_pressed_twice_sends_once(open_page):
    page = open_page("/samples/new")
    page.get_by_label("Title").fill("Pressed twice")
    page.evaluate("const button = document.querySelector('form.panel button'); button.click(); button.click();")
    page.wait_for_url("**/samples?q=Pressed*")
    assert Sample.objects.filter(title="Pressed twice").count() == 1


def test_a_day_by_keyboard_alone(open_page):
    page = open_page("/samples")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator("[data-row].is-current a")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("new task")
    expect(page.get_by_role("dialog")).to_contain_text("next and previous row")
    assert faults(page, "chassis keys") == []
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.type("cj?")
    expect(page.get_by_label("Search")).to_have_value("cj?")
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    page.wait_for_url("**/samples/new")


def test_the_menu_opens_and_closes_by_key_and_by_a_press_elsewhere(open_page):
    page = open_page("/samples")
    menu = page.locator("details.menu")
    summary = menu.locator("summary")
    summary.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    assert faults(page, "chassis open menu") == []
    summary.focus()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(summary).to_be_focused()
    summary.click()
    page.get_by_role("heading", level=1).click()
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()


def test_the_theme_follows_the_system_until_one_is_chosen(open_page):
    page = open_page("/samples", color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    page.goto("/cages")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")


def test_a_list_asks_for_news_by_itself_while_it_is_looked_at(open_page):
    page = open_page("/notes")
    page.clock.install()
    page.reload()
    page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend',"
        "'<p id=news data-poll hx-get=\"/open\" hx-trigger=poll></p>'); htmx.process(document.getElementById('news'))"
    )
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true})")
    page.clock.run_for(91_000)
    assert asked == []
    page.evaluate("delete document.visibilityState")
    page.clock.run_for(31_000)
    expect(page.locator("#news")).to_have_text("open")


def test_without_scripts_the_page_works(open_page):
    page = open_page("/samples/new", java_script_enabled=False)
    page.get_by_label("Title").fill("By hand")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/samples?q=By*")
    expect(page.get_by_text("Made.")).to_be_visible()
    page.locator("details.menu summary").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def test_no_kind_of_page_has_a_fault_in_any_theme_and_size(open_page, monkeypatch):
    monkeypatch.setattr(exports, "XLSX_ROWS", 10)
    page = open_page("/samples")
    for path in ("/samples", "/samples?q=zebra", "/samples/new", "/cages", "/own", "/nowhere", "/not-understood",
                 "/database-away", "/broken", "/samples/export?format=xlsx"):  # fmt: skip
        page.goto(path)
        assert faults(page, f"chassis {path}") == []


def test_a_form_that_is_too_large_too_old_or_sent_to_a_page_has_an_answer_without_fault(open_page):
    page = open_page("/samples/new")
    title = page.get_by_label("Title")
    long = "x" * 10_000_000
    title.evaluate("field => field.removeAttribute('maxlength')")
    title.evaluate("(field, long) => { field.value = long }", long)
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="That was too much text")).to_be_visible()
    assert faults(page, "chassis too much text") == []
    page.go_back()
    assert title.input_value() == long
    page.goto("/samples/new")
    title.fill("Old")
    page.locator("[name=csrfmiddlewaretoken]").first.evaluate("field => { field.value = 'x'.repeat(64) }")
    page.locator("form.panel [name=csrfmiddlewaretoken]").evaluate("field => { field.value = 'x'.repeat(64) }")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("form")
    assert faults(page, "chassis old form") == []
    page.goto("/samples/new")
    page.locator("form.panel").evaluate("form => { form.action = '/cages' }")
    title.fill("Where no form goes")
    page.get_by_role("button", name="Create").click()
    assert faults(page, "chassis no form goes here") == []


def test_the_policy_allows_no_inline_script_and_nothing_from_elsewhere(client):
    policy = client.get("/open")["Content-Security-Policy"]
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert parts["default-src"] == "'none'"
    assert parts["script-src"] == parts["style-src"] == parts["connect-src"] == "'self'"
    assert parts["frame-ancestors"] == parts["base-uri"] == "'none'"
    assert "http://127.0.0.1:3000" in parts["form-action"]
