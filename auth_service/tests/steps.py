"""What the tests of pages do with a page."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from bs4 import BeautifulSoup
from django.test import Client

from accounts.models import Account

SignIn = Callable[..., Client]
Make = Callable[..., Account]


def keyed(**form: str) -> dict[str, str]:
    """A form with a key of its own, as the page would have given it."""
    return {"form_key": str(uuid4())} | form


def page(response: Any) -> BeautifulSoup:
    return BeautifulSoup(response.content, "html.parser")


def said(response: Any) -> str:
    found = page(response).find(id="messages")
    return " ".join(found.get_text().split()) if found else ""


def form_of(response: Any, action: str | None) -> dict[str, str]:
    """What a browser would send of a form on the page; `None` is the one that leads to its own address."""
    form = page(response).select_one("main form:not([action])") if action is None else None
    form = form or page(response).find("form", action=action)
    assert form is not None, f"no form for {action}"
    fields = {field["name"]: field.get("value", "") for field in form.find_all("input") if field.get("name")}
    fields |= {
        area["name"]: area.get_text().removeprefix("\n").removeprefix("\r\n") for area in form.find_all("textarea")
    }
    for select in form.find_all("select"):
        fields[select["name"]] = select.find("option", selected=True)["value"]
    return fields


def account_page(account: Account, part: str = "") -> str:
    return f"/accounts/{account.pk}{part}"


def send(client: Client, account: Account, part: str, **changed: str) -> Any:
    shown = client.get(account_page(account))
    form = form_of(shown, account_page(account, part)) | changed
    return client.post(account_page(account, part), form, follow=True)
