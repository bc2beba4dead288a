"""What pages say once, also to requests that are answered at the same time."""

import copy

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from sample.views import MEANWHILE


@pytest.fixture
def me(browser):
    return browser("worker")


def said(client):
    return [str(message) for message in client.get("/samples").context["messages"]]


def other_request(client, address):
    """The same browser, asking for another page at the same time."""

    def ask():
        other = Client()
        other.cookies = copy.deepcopy(client.cookies)
        return other.get(address)

    return ask


def test_a_message_is_shown_once(me):
    me.get("/said?text=Saved")
    assert said(me) == ["Saved"]
    assert said(me) == []


def test_messages_of_two_requests_at_once_are_both_kept(me):
    MEANWHILE.append(other_request(me, "/said?text=Second"))
    me.get("/said?text=First")
    assert sorted(said(me)) == ["First", "Second"]


def test_a_message_that_comes_while_a_page_shows_others_is_kept(me):
    me.get("/said?text=Before")
    page = other_request(me, "/samples")
    shown = []
    MEANWHILE.append(lambda: shown.append(page()))
    me.get("/said?text=Meanwhile")
    assert [str(message) for message in shown[0].context["messages"]] == ["Before"]
    assert said(me) == ["Meanwhile"]


def test_what_is_said_twice_before_it_is_shown_is_shown_once(me):
    for _ in range(2):
        me.get("/said?text=Saved")
    assert said(me) == ["Saved"]


def test_saying_something_changes_nothing_else_of_the_session(me):
    me.get("/samples")
    ends = Session.objects.get().expire_date

    def changed():
        session = me.session
        session["kept"] = "by another request"
        session.save()
        Session.objects.update(expire_date=ends)

    MEANWHILE.append(changed)
    me.get("/said?text=Saved")
    assert (me.session["kept"], Session.objects.get().expire_date) == ("by another request", ends)


def test_a_page_without_anything_to_say_writes_nothing(me):
    with CaptureQueriesContext(connection) as asked:
        me.get("/samples")
    assert {query["sql"].split()[0] for query in asked} == {"SELECT"}
