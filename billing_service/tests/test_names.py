"""Somebody without a name is called by the address, which then stands once where name and address would."""

import pytest

from tests.make import account
from tests.pages import soup_of, text
from tests.test_page_corrections import NEW, typed

pytestmark = pytest.mark.django_db


@pytest.fixture
def nameless(worked):
    return [account(name="", email=f"{name}@popug.example") for name in ("ada.one", "ada.two")]


def test_a_preview_says_an_address_once(browser, nameless):
    found = soup_of(browser("finance").post(NEW, typed(worker="ada.one@popug.example")))
    assert text(found.select_one("main")).count("ada.one@popug.example") == 1


def test_a_choice_says_an_address_once(browser, nameless):
    choices = soup_of(browser("finance").post(NEW, typed(worker="ada"))).select("button[name=worker]")
    assert sorted(text(choice) for choice in choices) == ["ada.one@popug.example", "ada.two@popug.example"]
