"""What a check found."""

from typing import NamedTuple


class Finding(NamedTuple):
    """Which rule is broken, and by what."""

    rule: str
    text: str
