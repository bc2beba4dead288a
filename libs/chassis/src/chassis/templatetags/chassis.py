"""Template tags and filters of all services: `{% load chassis %}`."""

import html
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select
from django.template.defaultfilters import urlize
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from chassis import business_time
from chassis.money import format_cents
from chassis.news import news_address
from chassis.tables import KeysetPage

register = template.Library()
ENDS = ".,:;!?"  # marks that are no part of an address


@register.filter
def money(cents: int | None) -> str:
    """Integer cents as `$1,234.50`; nothing for None."""
    return "" if cents is None else format_cents(cents)


@register.filter
def linked(text: str) -> SafeString:
    """A plain text whose addresses are links, with every character that it has.

    Django's urlize alone loses the full stop of `(see https://example.com).`: a text of which it would lose something
    is linked word by word, and such a word has no link.
    """
    found = urlize(text)
    if _is_whole(found, text):
        return found
    words = ((word, word.rstrip(ENDS)) for word in re.split(r"(\s+)", text))
    return format_html_join("", "{}{}", ((_linked(core), word[len(core) :]) for word, core in words))


def _linked(word: str) -> str:
    found = urlize(word)
    return found if _is_whole(found, word) else word


def _is_whole(found: str, text: str) -> bool:
    return html.unescape(re.sub(r"</?a\b[^>]*>", "", found)) == text


@register.filter
def credit(cents: int | None) -> str:
    """Integer cents from the worker's side, with a sign both ways: `+$24.00`, `-$12.00`."""
    return "" if cents is None else format_cents(cents, plus=True)


@register.filter
def tone(cents: int | None) -> str:
    """The CSS class of an amount; its sign says the same."""
    return "amount-below" if (cents or 0) < 0 else "amount-above" if cents else ""


@register.filter
def when(moment: datetime | None) -> SafeString | str:
    """A time in the business zone, with the ISO time on hover."""
    return "" if moment is None else _time(moment, business_time.format_when(moment))


@register.filter
def timeago(moment: datetime | None) -> SafeString | str:
    """How long ago, with the exact time on hover."""
    return "" if moment is None else _time(moment, business_time.format_ago(moment, timezone.now()))


def _time(moment: datetime, text: str) -> SafeString:
    iso = business_time.format_iso(moment)
    return format_html('<time datetime="{}" title="{}">{}</time>', iso, iso, text)


@register.filter
def person_name(account: Any) -> str:
    """What pages call an account, in auth and elsewhere."""
    name = getattr(account, "name", "") or getattr(account, "full_name", "") or getattr(account, "email", "")
    return str(name)


@register.filter
def roles_text(roles: Sequence[str]) -> str:
    """`admin`, `admin and finance`, `admin, manager and finance`."""
    return " and ".join(filter(None, [", ".join(roles[:-1]), roles[-1]]))


@register.filter
def control(field: BoundField) -> SafeString:
    """The field's widget in Bootstrap's classes."""
    widget = field.field.widget
    if isinstance(widget, (CheckboxInput, CheckboxSelectMultiple, RadioSelect)):
        name = "form-check-input"
    elif isinstance(widget, Select):
        name = "form-select"
    else:
        name = "form-control"
    own = widget.attrs.get("class", "")
    return field.as_widget(attrs={"class": f"{own} {name}{' is-invalid' if field.errors else ''}".strip()})


@register.filter
def is_check(field: BoundField) -> bool:
    """Whether the label stands behind the field."""
    return isinstance(field.field.widget, CheckboxInput)


@register.simple_tag
def form_key() -> SafeString:
    """A fresh one-time key, for a form that is only a button."""
    return format_html('<input type="hidden" name="form_key" value="{}">', uuid4())


@register.inclusion_tag("chassis/news_place.html", takes_context=True)
def news(context: template.Context, name: str) -> dict[str, Any]:
    """Where a list offers what came since: asked of the view of that name, with the filter of the list."""
    return {"address": news_address(context["request"], name, now=timezone.now())}


@register.inclusion_tag("chassis/sort_header.html", takes_context=True)
def sort_header(
    context: template.Context, page: KeysetPage[Any], column: str, label: str, css: str = ""
) -> dict[str, Any]:
    """A `<th>` that sorts by the column; pressed again, the other way round."""
    descending = page.sort == f"-{column}"
    active = descending or page.sort == column
    first = f"-{column}" if f"-{column}" in page.first_orders else column
    opposite = column if descending else f"-{column}"
    return {
        "request": context["request"],
        "label": label,
        "css": css,
        "direction": ("descending" if descending else "ascending") if active else "none",
        "target": opposite if active else first,
    }
