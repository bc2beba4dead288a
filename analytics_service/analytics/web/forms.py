"""The chosen period, as the address has it: `?from=2026-03-01&to=2026-03-31`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.http import QueryDict
from django.utils.translation import gettext as _

from analytics.domain import Period, PeriodError, period_read, presets
from chassis.errors import NotUnderstood

_PARAMETERS = frozenset({"from", "to"})


@dataclass(frozen=True, slots=True)
class Preset:
    """A period that people ask for, as a link."""

    label: str
    period: Period
    chosen: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for: a period, or why it is none together with what was typed."""

    first: str
    last: str
    period: Period | None
    error: str
    presets: list[Preset]


def choice_read(query: QueryDict, *, today: date) -> Choice:
    """The period of the address; the first preset where it names none.

    Raises NotUnderstood for a parameter that there is none of: it must not look as if it had been heeded.
    """
    if unknown := set(query) - _PARAMETERS:
        raise NotUnderstood(_("There is no filter “%(name)s”.") % {"name": min(unknown)})
    usual = presets(today)
    default = next(iter(usual.values()))
    first = query.get("from", "" if query else default.start.isoformat())
    last = query.get("to", "" if query else default.end.isoformat())
    try:
        period, error = period_read(first.strip(), last.strip()), ""
    except PeriodError as wrong:
        period, error = None, str(wrong)
    links = [Preset(label, usual_period, usual_period == period) for label, usual_period in usual.items()]
    return Choice(first, last, period, error, links)
