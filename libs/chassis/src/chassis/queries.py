"""Expressions that Django has not, and the search by words of lists."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.search import SearchQuery
from django.db.models import BooleanField, Count, Expression, F, Func, Model, Q, QuerySet, Subquery

Row = TypeVar("Row", bound=Model)


class AnyOf(Func):
    """`id = ANY (ARRAY(...))`: the array is read once, and from its own index, whatever is around it."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY ("
    output_field = BooleanField()


class Unguessed(Func):
    """The same condition, hidden from Postgres, which then takes it for true of half of all rows.

    No index answers it, and a list that needs few of its rows is read in its order, not as a whole and sorted.
    """

    template = "CASE WHEN %(expressions)s THEN true ELSE false END"
    output_field = BooleanField()


def beginnings(words: Iterable[str]) -> SearchQuery:
    """All of the words, each from its beginning; quoted, so that no sign in a word is an operator."""
    quoted = [word.replace("\\", "").replace("'", "''") for word in words]
    return SearchQuery(" & ".join(f"'{word}':*" for word in quoted), search_type="raw", config="simple")


def with_words(
    rows: QuerySet[Row],
    *,
    match: Expression | Subquery,
    ids: QuerySet[Any, Any],
    order: Sequence[str],
    first: int,
    common: int,
) -> QuerySet[Row]:
    """The rows of a list that have the words asked for.

    `match` says so of one row, `ids` are all that the index of words finds, `order` is the list's. Postgres cannot tell
    how many rows a beginning of a word finds, and guessing wrong it reads them all. So the `first` rows of the list are
    asked how common the words are: those that more than `common` of them have are looked for along the list, others
    in the index.
    """
    along: Any = rows.alias(match=Unguessed(match))
    asked = along.annotate(hit=F("match")).order_by(*order)[:first]
    if asked.aggregate(hits=Count("pk", filter=Q(hit=True)))["hits"] > common:
        found: QuerySet[Row] = along.filter(match=True)
        return found
    return rows.filter(AnyOf(F("pk"), ArraySubquery(ids)))
