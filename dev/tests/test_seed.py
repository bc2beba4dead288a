"""Which days the history has."""

from datetime import date

from dev.seed import business_days, next_business_day

WEDNESDAY = date(2026, 3, 11)


def test_history_has_business_days_only_and_ends_before_today() -> None:
    days = business_days(WEDNESDAY, 10)
    assert days == [date(2026, 2, 25), date(2026, 2, 26), date(2026, 2, 27)] + [
        date(2026, 3, day) for day in (2, 3, 4, 5, 6, 9, 10)
    ]


def test_history_has_thirty_business_days() -> None:
    days = business_days(WEDNESDAY)
    assert (len(days), days[0], days[-1]) == (30, date(2026, 1, 28), date(2026, 3, 10))


def test_a_weekend_is_followed_by_monday() -> None:
    assert next_business_day(date(2026, 3, 14)) == date(2026, 3, 16)
    assert next_business_day(WEDNESDAY) == WEDNESDAY
