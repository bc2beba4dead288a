"""Rules of analytics: no Django in here; the clock is an argument. Amounts are integer cents.

Numbers such as A1 are those of the requirements.
"""

from analytics.domain.facts import (
    ALLOWED_OF_ACCOUNTS,
    ContradictoryTransaction,
    Entry,
    ForeignCurrency,
    Income,
    Standing,
    TaskText,
    income_of,
    json_form,
    kept_for_ever,
    latest,
    read_entry,
    read_standing,
    read_task_text,
    unique_entries,
)
from analytics.domain.periods import (
    DAYS_MAX,
    Period,
    PeriodError,
    days_of,
    month_of,
    months_of,
    period_read,
    presets,
    week_of,
    weeks_of,
)
from analytics.domain.ranking import SHOWN, Completed, Top, best, ranking_key, top_of

__all__ = [
    "ALLOWED_OF_ACCOUNTS",
    "DAYS_MAX",
    "SHOWN",
    "Completed",
    "ContradictoryTransaction",
    "Entry",
    "ForeignCurrency",
    "Income",
    "Period",
    "PeriodError",
    "Standing",
    "TaskText",
    "Top",
    "best",
    "days_of",
    "income_of",
    "json_form",
    "kept_for_ever",
    "latest",
    "month_of",
    "months_of",
    "period_read",
    "presets",
    "ranking_key",
    "read_entry",
    "read_standing",
    "read_task_text",
    "top_of",
    "unique_entries",
    "week_of",
    "weeks_of",
]
