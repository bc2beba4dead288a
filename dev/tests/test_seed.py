"""Which days the history has."""

from datetime import date

from dev.seed import business_days, next_business_day

WEDNESDAY = date(2026, 3, 11)


def test_history_has_business_days_only_and_ends_before_today() -> None:
    days = business_days(WEDNESDAY, 14)
    assert days == [date(2026, 2, 25), date(2026, 2, 26), date(2026, 2, 27)] + [
        date(2026, 3, day) for day in (2, 3, 4, 5, 6, 9, 10)
    ]


def test_a_month_of_history_has_about_twenty_days() -> None:
    assert 20 <= len(business_days(WEDNESDAY)) <= 22


def test_a_weekend_is_followed_by_monday() -> None:
    assert next_business_day(date(2026, 3, 14)) == date(2026, 3, 16)
    assert next_business_day(WEDNESDAY) == WEDNESDAY
