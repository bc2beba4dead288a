"""Denied by default, and said by whom it may be opened."""

from datetime import UTC, datetime

import pytest
from bs4 import BeautifulSoup
from django.test import Client, RequestFactory
from sample.models import Sample

from chassis.permissions import may, requires

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/samples?status=open"}


def test_a_view_that_does_not_say_who_may_is_refused_to_everybody(browser):
    response = browser("admin").get("/undecided")
    assert response.status_code == 403
    assert b"never shown" not in response.content


def test_another_role_is_told_which_role_may_and_where_its_own_pages_are(browser):
    response = browser("worker").get("/cages")
    text = BeautifulSoup(response.content, "html.parser").main.get_text(" ", strip=True)
    assert response.status_code == 403
    assert "Only admin and manager may open it." in text
    assert "signed in as Wilma Weber ( worker )" in text or "signed in as Wilma Weber (worker)" in text
    links = [link["href"] for link in BeautifulSoup(response.content, "html.parser").select(".own-pages a")]
    assert "/samples" in links
    assert "/cages" not in links


def test_a_right_that_depends_on_the_row_is_refused_with_the_same_page(browser):
    assert b"finance" in browser("worker").get("/own").content


@pytest.mark.parametrize(("role", "status"), [("admin", 200), ("manager", 200), ("finance", 403), ("worker", 403)])
def test_only_the_named_roles_open_a_page(browser, role, status):
    assert browser(role).get("/cages").status_code == status


def test_the_role_is_read_from_the_database_on_each_request(browser, person):
    browser = browser("manager")
    assert browser.get("/cages").status_code == 200
    type(person()).objects.update(role="worker")
    assert browser.get("/cages").status_code == 403


def test_an_account_without_a_role_opens_nothing(rf, person):
    assert not may(person(""))
    assert not may(person("worker", is_active=False))
    assert may(person("worker"))


@pytest.mark.django_db
def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(client):
    response = client.get("/samples?status=open")
    assert response.status_code == 302
    assert response["Location"] == "/login?next=%2Fsamples%3Fstatus%3Dopen"


@pytest.mark.django_db
def test_htmx_without_a_session_moves_the_whole_page_to_sign_in(client):
    response = client.post("/notes/save", {"text": "x"}, headers=HTMX)
    assert response.status_code == 204
    assert response["HX-Redirect"] == "/login?next=%2Fsamples%3Fstatus%3Dopen"


@pytest.mark.django_db
def test_a_form_sent_without_a_session_comes_back_to_its_page(client):
    response = client.post("/notes/save", {"text": "x"}, headers={"Referer": "http://testserver/notes"})
    assert response["Location"] == "/login?next=%2Fnotes"


@pytest.mark.django_db
def test_who_was_signed_out_while_the_request_was_answered_is_asked_to_sign_in(browser):
    response = browser("worker").post("/ended-meanwhile", headers={"Referer": "http://testserver/samples?status=open"})
    assert (response.status_code, response["Location"]) == (302, "/login?next=%2Fsamples%3Fstatus%3Dopen")


def test_htmx_of_who_was_signed_out_meanwhile_moves_the_whole_page_to_sign_in(browser):
    response = browser("worker").post("/ended-meanwhile", headers=HTMX)
    assert (response.status_code, response["HX-Redirect"]) == (204, "/login?next=%2Fsamples%3Fstatus%3Dopen")


@pytest.mark.parametrize("referer", ["https://evil.example/notes", "", "//evil.example"])
def test_the_way_back_never_leaves_this_service(client, referer):
    response = client.post("/notes/save", {"text": "x"}, headers={"Referer": referer})
    assert response["Location"] == "/login?next=%2F"


def test_htmx_that_may_not_is_told_so_in_a_fragment(browser):
    response = browser("worker").post("/notes/refused", headers=HTMX)
    assert response.status_code == 403
    assert response.content.decode().strip() == "<p data-error-message>Only finance may do this.</p>"


def test_public_pages_ask_nothing_of_the_database(client):
    assert client.get("/open").content == b"open"


def test_an_unknown_role_is_a_mistake_at_import():
    with pytest.raises(ValueError, match="roles are admin"):
        requires("boss")
    with pytest.raises(ValueError, match="roles are admin"):
        requires()


def test_one_view_can_be_mounted_twice_with_different_rights():
    def view(request):
        return "seen"

    first, second = requires("admin")(view), requires("finance", "admin")(view)
    assert first.access.roles == ("admin",)
    assert second.access.roles == ("finance", "admin")
    assert first(RequestFactory().get("/")) == "seen"


def test_a_form_without_a_csrf_token_changes_nothing_and_says_why(person, settings):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person())
    response = browser.post("/samples/new", {"title": "x"})
    assert response.status_code == 403
    assert b"This form was too old" in response.content
    assert not Sample.objects.filter(made_at__gte=datetime(2026, 1, 1, tzinfo=UTC)).exists()
