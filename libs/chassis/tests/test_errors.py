"""Pages for what goes wrong."""

import pytest
from django.db import InternalError, connection
from django.test import Client
from django.test.client import FakePayload

HTMX = {"HX-Request": "true"}


@pytest.fixture
def calm(client):
    """A client that shows the error page instead of raising the exception."""
    client.raise_request_exception = False
    return client


@pytest.fixture
def database_down(transactional_db):
    """The address of the database refuses connections."""
    address = connection.settings_dict
    host, port = address["HOST"], address["PORT"]
    connection.close()
    address["HOST"], address["PORT"] = "127.0.0.1", "1"
    yield
    connection.close()
    address["HOST"], address["PORT"] = host, port


def test_with_the_database_down_the_page_says_try_again(database_down, calm):
    calm.cookies["tasks_session"] = "a" * 32
    response = calm.get("/samples")
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert response["Cache-Control"] == "no-store"
    assert "Content-Security-Policy" in response
    assert b"Please try again in a moment" in response.content


def test_with_the_database_down_an_unknown_address_says_try_again_too(database_down, calm):
    calm.cookies["tasks_session"] = "a" * 32
    assert calm.get("/nowhere").status_code == 503


def test_with_the_database_down_htmx_gets_a_fragment(calm):
    response = calm.get("/database-away", headers=HTMX)
    assert response.status_code == 503
    assert response.content.startswith(b"<p data-error-message>")


@pytest.mark.parametrize("address", ["/database-demoted", "/frozen"])
def test_a_database_that_changes_hands_or_ended_the_session_is_away(transactional_db, calm, address):
    assert calm.get(address).status_code == 503


def test_a_statement_after_an_error_in_its_transaction_is_our_fault(transactional_db, calm):
    with pytest.raises(InternalError):
        Client().get("/handled-wrongly")
    assert calm.get("/handled-wrongly").status_code == 500


def test_the_503_page_keeps_the_chosen_theme(calm):
    calm.cookies["theme"] = "dark"
    assert b'data-bs-theme="dark"' in calm.get("/database-away").content


def test_a_theme_that_there_is_not_is_left_out(browser):
    client = browser()
    client.cookies["theme"] = '"><script>'
    assert b"data-bs-theme" not in client.get("/samples").content.split(b">")[1]


def test_our_own_fault_is_said_so_without_details(calm):
    response = calm.get("/broken")
    assert response.status_code == 500
    assert b"Something broke on our side" in response.content
    assert b"RuntimeError" not in response.content


def test_a_filter_that_is_not_understood_is_an_error_page(browser):
    response = browser("worker").get("/samples?status=statsu")
    assert response.status_code == 400
    assert "Select a valid choice" in response.content.decode()


def test_a_filter_with_an_unknown_name_is_an_error_page(browser):
    response = browser("worker").get("/samples?statsu=open")
    assert response.status_code == 400
    assert "There is no filter “statsu”." in response.content.decode()


@pytest.mark.parametrize("address", ["/samples?q=cage&q=bird", "/samples?after=x&after=y"])
def test_a_filter_that_is_given_twice_is_an_error_page(browser, address):
    response = browser("worker").get(address)
    assert response.status_code == 400
    assert "is given twice." in response.content.decode()


def test_not_understood_is_a_fragment_for_htmx(client, db):
    response = client.get("/not-understood", headers=HTMX)
    assert response.content.decode().strip() == "<p data-error-message>There is no status “statsu”.</p>"


def test_an_unknown_address_is_answered_in_the_house_style(browser):
    response = browser("worker").get("/nowhere")
    assert response.status_code == 404
    assert b"There is no such page" in response.content
    assert b"Wilma Weber" in response.content


def test_a_request_that_no_page_saw_is_answered_in_the_house_style(client, db, settings):
    settings.ALLOWED_HOSTS = ["tasks.example"]
    response = client.get("/open")
    assert response.status_code == 400
    assert b"This address is not understood" in response.content or b"not understood" in response.content


TOO_LARGE = {"text": "x" * 3_000_000}


def test_a_form_of_megabytes_is_answered_in_the_house_style(browser):
    response = browser("worker").post("/samples/new", TOO_LARGE)
    assert response.status_code == 413
    assert b"nothing was saved" in response.content
    assert "Content-Security-Policy" in response


def test_a_form_of_megabytes_is_a_fragment_for_htmx(browser):
    response = browser("worker").post("/notes/save", TOO_LARGE, headers=HTMX)
    assert response.status_code == 413
    assert response.content.startswith(b"<p data-error-message>That was too much text")


def test_a_body_of_megabytes_is_read_to_its_end_before_it_is_refused(client, db):
    body = FakePayload(b"x" * 3_000_000)
    client.generic("POST", "/notes/save", b"", **{"wsgi.input": body, "CONTENT_LENGTH": "3000000"})
    assert len(body) == 0


@pytest.mark.parametrize("address", ["/samples?q=%00", "/samples?status=%00", "/samples?after=a%00b"])
def test_a_zero_byte_in_an_address_is_not_our_fault(browser, address):
    response = browser("worker").get(address)
    assert response.status_code == 400
    assert b"zero byte" in response.content


@pytest.mark.parametrize(
    ("address", "page"), [("/samples/7/parts/done", "/samples/7"), ("/things/add/", "/")], ids=["of a thing", "of none"]
)
def test_a_browser_that_opens_an_address_of_forms_is_led_to_the_page_of_the_thing(browser, address, page):
    client = browser()
    answer = client.get(address, headers={"Accept": "text/html,*/*"})
    assert (answer.status_code, answer.headers["Location"]) == (302, page)
    assert client.get(address).status_code == 405
    assert client.get(address, headers={"Accept": "text/html", **HTMX}).status_code == 405
    assert client.post(address).content == b"done"


def test_a_form_sent_to_a_page_that_takes_none_is_said_in_the_house_style(browser):
    answer = browser().post("/samples/7", headers={"Accept": "text/html,*/*"})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert b"This page takes no form" in answer.content
    assert b'href="/samples/7"' in answer.content
