"""Amounts are integer cents everywhere; here they become text, and text becomes cents."""

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings

# Currencies of two decimals; a currency of none or three would need another meaning of "cents".
SYMBOLS = {
    "USD": "$",
    "EUR": "€",
    "GBP": "£",
    "CHF": "CHF ",
    "CAD": "CA$",
    "AUD": "A$",
    "NZD": "NZ$",
    "PLN": "PLN ",
    "CZK": "CZK ",
    "SEK": "SEK ",
    "NOK": "NOK ",
    "DKK": "DKK ",
}


def format_cents(cents: int, currency: str = "", *, plus: bool = False) -> str:
    """`$1,234.50`, `-$12.00`; with `plus`, an amount above zero has a sign too: `+$12.00`."""
    if type(cents) is not int:
        raise TypeError(f"cents are an int, not {type(cents).__name__}")
    sign = "-" if cents < 0 else "+" if plus and cents > 0 else ""
    whole, rest = divmod(abs(cents), 100)
    code = currency or settings.CURRENCY
    return f"{sign}{SYMBOLS.get(code, f'{code} ')}{whole:,}.{rest:02d}"


class CentsField(forms.DecimalField):
    """A form field for an amount above zero with at most two decimals; its clean value is integer cents."""

    def __init__(self, *, max_cents: int, **kwargs: Any) -> None:
        limits = {"min_value": Decimal("0.01"), "max_value": Decimal(max_cents) / 100, "decimal_places": 2}
        super().__init__(**{**limits, **kwargs})

    def clean(self, value: Any) -> Any:
        """Cents; None where the field is optional and empty."""
        amount = super().clean(value)
        return None if amount is None else int(amount * 100)
