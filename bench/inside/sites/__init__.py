"""What each service's list pages are, and how their tables are filled."""

from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import Model, QuerySet

from chassis.tables import paginate


class Page(NamedTuple):
    """A page as a role sees it; `rows` is how many rows of a table it has at least."""

    name: str
    role: str
    address: str
    rows: int = 50


def after_middle(rows: "QuerySet[Model]", order: Sequence[str]) -> str:
    """The cursor of the page that begins in the middle of a list."""
    name = order[0].removeprefix("-")
    middle = rows.order_by(*order)[rows.count() // 2]
    side = "lte" if order[0].startswith("-") else "gte"
    page = paginate(rows.filter(**{f"{name}__{side}": getattr(middle, name)}), order=order, size=1)
    return page.next_cursor or ""
