"""The forms of a service as a browser would find them: every address of its table, every page, every form on it."""

import copy
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup, Tag
from django.conf import settings
from django.shortcuts import resolve_url
from django.test import Client
from django.urls import URLPattern, get_resolver, resolve, reverse

Clients = Mapping[str, Client]
TYPED = ("text", "search", "email", "tel", "url", "number", "date", "password")
PRESSED = ("submit", "button", "image", "reset", "file")


@dataclass(frozen=True, slots=True)
class Page:
    """What somebody got for an address."""

    client: Client
    address: str
    soup: BeautifulSoup


@dataclass(frozen=True, slots=True)
class Form:
    """A form as a page shows it: `fields` is what a browser would send of it untouched, `typed` what people write."""

    name: str
    action: str
    page: Page
    post: bool
    htmx: bool
    fields: dict[str, str] = field(hash=False)
    typed: tuple[str, ...]
    button: str = ""

    @property
    def called(self) -> str:
        """Its address's name, and which of its buttons is pressed where that makes a difference."""
        return f"{self.name} {self.button}".strip()

    def __str__(self) -> str:
        return f"{self.called} on {self.page.address}"

    def send(self, values: Mapping[str, str], *, htmx: bool = False, browser: Client | None = None) -> Any:
        """Send it from its page; in a copy of the browser unless one is given: its cookies are not the next form's."""
        browser = browser or like(self.page.client)
        data = self.fields | dict(values)
        if not self.post:
            return browser.get(self.action, data)
        headers = {"Referer": f"http://testserver{self.page.address}"}
        if htmx:
            headers |= {"HX-Request": "true", "HX-Current-URL": headers["Referer"]}
        return browser.post(self.action, data, headers=headers)


def like(client: Client) -> Client:
    """A browser with the same cookies, to which a fault of the service is an answer."""
    browser = Client(raise_request_exception=False)
    browser.cookies = copy.deepcopy(client.cookies)
    return browser


def addresses(places: Mapping[str, Sequence[Any]]) -> dict[str, list[str]]:
    """Every address of the service by its name; `places` says what the arguments in addresses stand for.

    A new argument has to be said first: KeyError names it.
    """
    found: dict[str, list[str]] = {}
    for name, arguments in _patterns(get_resolver(), (), ()):
        values = [places[argument] for argument in arguments]
        kwargs = [dict(zip(arguments, chosen, strict=True)) for chosen in itertools.product(*values)]
        found.setdefault(name, []).extend(reverse(name, kwargs=chosen) for chosen in kwargs)
    return found


def _patterns(resolver: Any, spaces: tuple[str, ...], before: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for pattern in resolver.url_patterns:
        arguments = (*before, *pattern.pattern.converters)
        if isinstance(pattern, URLPattern):
            assert pattern.name, f"{pattern} has no name"
            yield ":".join((*spaces, pattern.name)), arguments
        else:
            inner = (*spaces, pattern.namespace) if pattern.namespace else spaces
            yield from _patterns(pattern, inner, arguments)


def taking_posts(clients: Clients, table: Mapping[str, Sequence[str]], undone: Any) -> set[str]:
    """The names of addresses that somebody may send something to."""
    found = set()
    for name, places in table.items():
        for client, place in itertools.product(clients.values(), places):
            with undone():
                answer = like(client).post(place)
            asked_to_sign_in = answer.headers.get("Location", "").startswith(resolve_url(settings.LOGIN_URL) + "?")
            if answer.status_code not in (403, 405) and not asked_to_sign_in:
                found.add(name)
                break
    return found


def pages(clients: Clients, wanted: Iterable[str]) -> list[Page]:
    """Every whole page that somebody gets for one of the addresses."""
    found = []
    for client, address in itertools.product(clients.values(), wanted):
        answer = client.get(address)
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            page = Page(client, address, BeautifulSoup(answer.content, "html.parser"))
            found += [page] if page.soup.html else []
    return found


def answer(form: Form, values: Mapping[str, str]) -> Page:
    """The page that answers a form, such as a preview: it stands under the form's address."""
    found = form.send(values)
    assert found.status_code == 200, found
    return Page(form.page.client, form.action, BeautifulSoup(found.content, "html.parser"))


def forms(shown: Iterable[Page]) -> list[Form]:
    """Every kind of form once: the same fields for the same address on another page are the same form."""
    found: dict[Any, Form] = {}
    for page in shown:
        for tag in page.soup.find_all("form"):
            for form in _forms_of(page, tag):
                kind = (form.name, form.button, form.htmx, tuple(sorted(form.fields)))
                found.setdefault(kind, form)
    return list(found.values())


def _forms_of(page: Page, tag: Tag) -> Iterator[Form]:
    action = urljoin(page.address, str(tag.get("action") or page.address))
    if urlsplit(action).netloc:
        return  # another service's
    fields, typed = _fields(tag)
    buttons = [button for button in tag.find_all("button") if button.get("type", "submit") == "submit"]
    named = {(str(button.get("name", "")), str(button.get("value", ""))) for button in buttons} or {("", "")}
    for name, value in sorted(named):
        pressed = {name: value} if name else {}
        yield Form(
            name=resolve(urlsplit(action).path).view_name,
            action=action,
            page=page,
            post=str(tag.get("method", "get")).lower() == "post",
            htmx=tag.has_attr("hx-post"),
            fields=fields | pressed,
            typed=tuple(typed),
            button="=".join(next(iter(pressed.items()), ())),
        )


def _fields(tag: Tag) -> tuple[dict[str, str], list[str]]:
    fields: dict[str, str] = {}
    typed = []
    for one in tag.find_all(["input", "textarea", "select"]):
        name, kind = str(one.get("name", "")), str(one.get("type", "text"))
        if not name or one.has_attr("disabled") or (one.name == "input" and kind in PRESSED):
            continue
        if one.name == "textarea":
            fields[name] = one.get_text().removeprefix("\n").removeprefix("\r\n")
            typed.append(name)
        elif one.name == "select":
            options = one.find_all("option")
            chosen = next(
                (option for option in options if option.has_attr("selected")), options[0] if options else None
            )
            fields[name] = str(chosen.get("value", "")) if chosen else ""
        elif kind in ("checkbox", "radio"):
            if one.has_attr("checked"):
                fields[name] = str(one.get("value", "on"))
        else:
            fields[name] = str(one.get("value", ""))
            if kind in TYPED:
                typed.append(name)
    return fields, typed
