"""Reading pages as a person does."""

import re

from bs4 import BeautifulSoup
from django.urls import reverse

HTMX = {"HX-Request": "true"}


def soup(response) -> BeautifulSoup:
    return BeautifulSoup(response.content, "html.parser")


def fragments(response) -> BeautifulSoup:
    """What htmx finds in an answer: it looks into templates."""
    return BeautifulSoup(re.sub(rb"</?template>", b"", response.content), "html.parser")


def titles(response) -> list[str]:
    return [link.get_text() for link in soup(response).select("#task-rows .lead-cell a")]


def text_of(element) -> str:
    return " ".join(element.get_text(" ").split())


def row_form(page, task, action):
    """The fields of the form that a row or page shows for an action."""
    form = page.find("form", action=reverse(f"task_{action}", args=[task.pk]))
    assert form, f"no form to {action}"
    return {field["name"]: field.get("value", "") for field in form.select("input[name]")}


def quick_add(client, title, key=None, show="open", **more):
    page = soup(client.get(f"/?show={show}"))
    form = page.find("form", action=reverse("quick_add"))
    fields = {field["name"]: field.get("value", "") for field in form.select("input[name]")}
    return fields | {"title": title} | ({"form_key": str(key)} if key else {}) | more
