"""For the browser tests of a service: each of its forms is sent twice at once, as an impatient thumb does."""

from collections.abc import Iterable
from datetime import date
from http import HTTPStatus
from typing import Any

from django.test import Client
from django.urls import URLPattern, reverse

_NOBODY = {"UUIDConverter": "00000000-0000-0000-0000-000000000000", "IntConverter": 1, "DayConverter": date(2026, 3, 2)}
# The button counts as pressed, and both are on their way before the first is answered.
_TWICE = """(form) => {
  const button = form.querySelector("button[type=submit], button:not([type])");
  const send = () => fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form, button)) })
    .then((answer) => [answer.status, new URL(answer.url).pathname]);
  return Promise.all([send(), send()]);
}"""


def sent_twice(form: Any) -> tuple[int, str]:
    """Sends a form (a Playwright locator) twice at once; the status and path that both answers ended on."""
    first, second = form.evaluate(_TWICE)
    assert first == second, f"answered {first} and {second}"
    return first[0], first[1]


def addresses_of_forms(patterns: Iterable[Any], client: Client) -> set[str]:
    """The names of all addresses that take a form, asked of the views themselves, signed in as `client`."""
    return {
        str(pattern.name) for pattern in patterns if isinstance(pattern, URLPattern) and _takes_post(pattern, client)
    }


def _takes_post(pattern: URLPattern, client: Client) -> bool:
    given = {name: _NOBODY.get(type(found).__name__, "any") for name, found in pattern.pattern.converters.items()}
    answer = client.put(reverse(str(pattern.name), kwargs=given))
    assert answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED, f"{pattern.name} takes any method"
    return "POST" in answer.headers["Allow"]
