"""The chosen period, as the address has it: `?from=2026-03-01&to=2026-03-31`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.http import QueryDict
from django.utils.translation import gettext_lazy

from analytics.domain import Period, PeriodError, period_read, presets
from chassis.tables import check_names

PERIOD_ERRORS = {
    "no_first": gettext_lazy("Choose the first day of the period."),
    "no_last": gettext_lazy("Choose the last day of the period."),
    "date": gettext_lazy("“%(text)s” is not a date: write it as 2026-03-31."),
    "year": gettext_lazy("Choose days between %(first)s and %(last)s."),
    "reversed": gettext_lazy("The first day comes after the last one."),
    "long": gettext_lazy("A period has at most %(most)s days; this one has %(days)s."),
}
PRESETS = {
    "Last 30 days": gettext_lazy("Last 30 days"),
    "This week": gettext_lazy("This week"),
    "This month": gettext_lazy("This month"),
    "Last month": gettext_lazy("Last month"),
    "Last 365 days": gettext_lazy("Last 365 days"),
}
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


def in_words(error: PeriodError) -> str:
    """Why a period is none, for the person who chose it."""
    return str(PERIOD_ERRORS[error.code]) % error.values


def choice_read(query: QueryDict, *, today: date) -> Choice:
    """The period of the address; the first preset where it names none.

    Raises NotUnderstood for a parameter that there is none of, or that comes twice: it must not look as if it had
    been heeded.
    """
    check_names(query, _PARAMETERS)
    usual = presets(today)
    default = next(iter(usual.values()))
    first = query.get("from", "" if query else default.start.isoformat())
    last = query.get("to", "" if query else default.end.isoformat())
    try:
        period, error = period_read(first.strip(), last.strip()), ""
    except PeriodError as wrong:
        period, error = None, in_words(wrong)
    links = [Preset(str(PRESETS[label]), usual_period, usual_period == period) for label, usual_period in usual.items()]
    return Choice(first, last, period, error, links)
