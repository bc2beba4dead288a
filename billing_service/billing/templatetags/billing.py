"""Template tags of billing's pages: `{% load billing %}`."""

from datetime import date, datetime
from typing import Any

from django import template
from django.conf import settings
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.models import Cycle, Transfer
from billing.selectors.clock import database_now
from billing.selectors.complaints import Complaint
from billing.selectors.cycles import Progress
from billing.selectors.statements import Line
from billing.selectors.warnings import incomplete
from billing.web import wording
from chassis.business_time import format_iso, in_zone

register = template.Library()
CYCLE_TONES = {
    "open": "status-good", "due": "status-warn", "closing": "status-info", "failed": "status-bad", "closed": "",
}  # fmt: skip


@register.filter
def kind(value: str) -> str:
    """An entry's kind in words."""
    return wording.kind_in_words(value)


@register.filter
def cause(line: Line) -> SafeString | str:
    """An entry's cause in words; of one that is too long for a page, more on hover."""
    shown, whole = wording.cause_in_words(line, longest=wording.CAUSE_SHOWN), wording.cause_in_words(line)
    return shown if shown == whole else format_html('<span title="{}">{}</span>', whole, shown)


@register.filter
def settlement(line: Line) -> str:
    """What became of an entry's money, in words."""
    return wording.settlement_in_words(line)


@register.filter
def weekday(day: date) -> str:
    """`Mon 2 Mar 2026`."""
    return date_format(day, "D j M Y")


@register.filter
def short_when(moment: datetime) -> SafeString:
    """When a cycle is due: `Mon 2 Mar, 18:00` in the business zone, the year goes without saying; it may wrap."""
    local = in_zone(moment)
    text = f"{local:%a} {local.day} {local:%b}, {local:{'%H:%M:%S' if local.second else '%H:%M'}}"
    return format_html('<span title="{}">{}</span>', format_iso(moment), text)


@register.filter
def task_url(task_id: Any) -> str:
    """The task's page, in the tasks service."""
    return f"{settings.PUBLIC_URLS['tasks']}/tasks/{task_id}"


@register.filter
def side(entry: Transfer, which: str) -> str:
    """Which part of the company stands on the `debit` or `credit` side; empty if the worker does."""
    return wording.company_in_words(entry.debit_id if which == "debit" else entry.credit_id)


@register.filter
def case(found: Complaint) -> str:
    """What became of a task's reward, in a sentence."""
    return wording.case_in_words(found)


@register.filter
def due(cycle: Cycle) -> SafeString:
    """The time a cycle is due, with the ISO time on hover."""
    iso = format_iso(cycle.due_at)
    return format_html('<time datetime="{}" title="{}">{}</time>', iso, iso, cycle.name)


@register.simple_block_tag(takes_context=True)
def list_table(
    context: template.Context, content: SafeString, *, caption: str, page: Any = None, id: str = ""
) -> SafeString:
    """The frame of a list's `<thead>` and `<tbody>`, and the way to its neighbouring pages."""
    pager = ""
    if page is not None:
        with context.push(page=page):
            pager = context.template.engine.get_template("chassis/pagination.html").render(context)  # type: ignore[union-attr]
    named = format_html(' id="{}"', id) if id else ""
    return format_html(
        '<div class="table-scroll"><table class="list list-stack"{}><caption class="visually-hidden">{}</caption>'
        "{}</table></div>{}",
        named,
        caption,
        content,
        pager,
    )


@register.inclusion_tag("billing/_state.html")
def cycle_state(cycle: Cycle, now: datetime, progress: Progress | None = None) -> dict[str, Any]:
    """A cycle's state as a badge: open, due, closing (n of m), failed or closed."""
    tone = CYCLE_TONES[wording.cycle_state(cycle, now)]
    return {"tone": tone, "text": wording.cycle_in_words(cycle, now, progress)}


@register.inclusion_tag("billing/_incomplete.html", takes_context=True)
def incomplete_banner(context: template.Context) -> dict[str, Any]:
    """Said on every page with money while figures may be incomplete (B8)."""
    return {"incomplete": incomplete(database_now()), "office": context["user"].role in ("admin", "finance")}
