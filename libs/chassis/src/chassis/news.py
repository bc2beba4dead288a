"""Lists ask whether something came since their page was made, and offer it: rows never move under the cursor.

The page has `{% news "name_of_the_view" %}` above its table; the view answers with `news_response`.
"""

from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse

from chassis.tables import understood

MOST = 100
SINCE = "since"
PLACES = ("after", "before")


class _SinceForm(forms.Form):
    since = forms.DateTimeField(label=SINCE)


def list_of(request: HttpRequest) -> QueryDict:
    """What the address says of the list: its filter and order, without its page and `since`."""
    question = request.GET.copy()
    for name in (*PLACES, SINCE):
        question.pop(name, None)
    return question


def news_address(request: HttpRequest, name: str, *, now: datetime) -> str:
    """Where a page of a list asks for news; empty on its later pages, where new rows do not belong."""
    if any(name in request.GET for name in PLACES):
        return ""
    question = list_of(request)
    question[SINCE] = now.isoformat()
    return f"{reverse(name)}?{question.urlencode()}"


def news_response(request: HttpRequest, rows: "QuerySet[Any]", *, moment: str, page: str) -> HttpResponse:
    """How many of the rows have a later `moment` than the page, with a link to the list anew; nothing if none."""
    since = understood(_SinceForm({SINCE: request.GET.get(SINCE, "")}))[SINCE]
    count = rows.filter(**{f"{moment}__gt": since})[:MOST].count()
    question = list_of(request).urlencode()
    address = f"{reverse(page)}?{question}" if question else reverse(page)
    return render(request, "chassis/news.html", {"count": count, "most": MOST, "address": address})
