"""Parts of addresses."""

from datetime import date


class DayConverter:
    """An ISO date; a day that does not exist is no address."""

    regex = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        return date.fromisoformat(value)

    def to_url(self, value: date) -> str:
        return value.isoformat()
