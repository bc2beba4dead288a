"""What every page of every service has."""

import pytest
from bs4 import BeautifulSoup


def test_a_list_page_shows_its_rows(browser, samples):
    response = browser("worker").get("/samples")
    assert response.status_code == 200
    assert response.content.count(b"<tr data-row") == 50


@pytest.mark.parametrize(
    ("role", "applications"),
    [
        ("admin", {"Tasks": ":5000/", "Billing": ":4000/", "Analytics": ":7000/", "Accounts": ":3000/"}),
        ("finance", {"Tasks": ":5000/", "Billing": ":4000/", "Profile": ":3000/profile"}),
        ("manager", {"Tasks": ":5000/", "Billing": ":4000/statement", "Profile": ":3000/profile"}),
        ("worker", {"Tasks": ":5000/", "Billing": ":4000/statement", "Profile": ":3000/profile"}),
    ],
)
def test_the_switcher_names_only_what_the_role_may_open(browser, role, applications):
    links = soup(browser(role).get("/samples")).select(".apps a")
    assert {link.get_text(): f":{link['href'].split(':')[-1]}" for link in links} == applications
    assert [link.get_text() for link in links if link.get("aria-current")] == ["Tasks"]


def test_the_pages_of_a_service_are_those_of_the_role(browser):
    assert [link.get_text() for link in soup(browser("worker").get("/samples")).select(".tabs a")] == ["Samples"]


@pytest.mark.parametrize(("path", "place"), [("/samples", "page"), ("/samples/new", "true"), ("/own", None)])
def test_the_tabs_say_below_which_page_one_is(browser, path, place):
    tabs = soup(browser("worker").get(path)).select(".tabs a")
    assert [(tab.get_text(), tab.get("aria-current")) for tab in tabs] == [("Samples", place)]


def test_every_page_says_who_one_is_in_which_role_and_how_to_sign_out(browser):
    page = soup(browser("finance").get("/samples"))
    assert page.select_one(".who").get_text() == "Wilma Weber"
    assert page.select_one(".role").get_text() == "finance"
    form = page.select_one("form[action='/logout']")
    assert form["method"] == "post"
    assert form.select_one("[name=csrfmiddlewaretoken]")


def test_the_menu_says_an_address_once(browser):
    page = soup(browser("admin", full_name="", email="ada@popug.example").get("/samples"))
    assert page.select_one(".menu-who").get_text(strip=True) == "ada@popug.example"


def test_a_page_for_everybody_offers_to_sign_in_and_back(client, db):
    page = soup(client.get("/nowhere?a=1"))
    assert page.select_one(".top-end a")["href"] == "/login?next=%2Fnowhere%3Fa%3D1"
    assert not page.select(".apps a, .tabs a, .who")


def test_a_service_without_a_way_out_shows_none(browser, settings):
    client = browser("worker")
    settings.ROOT_URLCONF, settings.NAVIGATION = "sample.bare_urls", []
    assert not soup(client.get("/nowhere")).select("form[action='/logout']")


def test_a_message_is_shown_once(browser):
    client = browser("worker")
    client.post("/samples/new", {"title": "Wash", "form_key": "00000000-0000-0000-0000-000000000001"})
    first, again = soup(client.get("/samples")), soup(client.get("/samples"))
    assert first.select_one(".message-success[role=status] span").get_text() == "Made."
    assert not again.select(".message")


def test_a_field_has_its_label_help_and_errors_tied_to_it(browser):
    page = soup(browser("worker").post("/samples/new", {"title": ""}))
    field = page.select_one("#id_title")
    assert field["aria-invalid"] == "true"
    described = [page.select_one(f"#{name}").get_text(strip=True) for name in field["aria-describedby"].split()]
    assert described == ["One line.", "This field is required."]
    assert page.select_one("label[for=id_title]")


def test_what_was_typed_is_shown_as_text(browser):
    response = browser("worker").post("/samples/new", {"title": "<script>alert(1)</script>" * 9})
    assert b"<script>alert" not in response.content
    assert b"&lt;script&gt;" in response.content


def soup(response):
    return BeautifulSoup(response.content, "html.parser")


def test_a_search_box_is_in_the_header_for_the_roles_that_have_one(browser, settings):
    settings.SEARCH = ("Find a sample", "logout", ("finance",))
    assert 'aria-label="Find a sample"' in browser("finance").get("/samples").content.decode()
    assert "Find a sample" not in browser("worker").get("/samples").content.decode()
