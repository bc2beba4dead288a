"""Parts of addresses."""

from datetime import date

import pytest

from chassis.converters import DayConverter


@pytest.mark.parametrize("text", ["2000-01-01", "2026-03-02", "2999-12-31"])
def test_a_day_is_read_and_written(text):
    day = DayConverter().to_python(text)
    assert day == date.fromisoformat(text)
    assert DayConverter().to_url(day) == text


@pytest.mark.parametrize("text", ["0001-01-01", "1999-12-31", "3000-01-01", "9999-12-31", "2026-02-30", "0000-00-00"])
def test_a_day_that_cannot_be_is_no_address(text):
    with pytest.raises(ValueError, match=r"age|month|year|day"):
        DayConverter().to_python(text)
