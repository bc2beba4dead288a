"""Parts of addresses: `register_converter(DayConverter, "day")`."""

from datetime import date

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2999, 12, 31)


class DayConverter:
    """An ISO date, `2026-03-02`. One that does not exist, or that nothing can have happened on, is no address."""

    regex = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        day = date.fromisoformat(value)
        if not FIRST_DAY <= day <= LAST_DAY:
            raise ValueError("a day of another age")
        return day

    def to_url(self, value: date) -> str:
        return value.isoformat()
