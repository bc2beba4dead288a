"""Lists: keyset pages, orders that have an index, and the whole state in the address."""

import base64
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import BooleanField, Expression, F, Field, Func, IntegerField, Q, QuerySet, Value
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from chassis.errors import NotUnderstood

PAGE_SIZE = 50
STATE_PARAMETERS = frozenset({"sort", "after", "before"})
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class KeysetPage(Generic[Row]):
    """One page of a list and the way to its neighbours; None where there is none."""

    rows: list[Row]
    previous_cursor: str | None
    next_cursor: str | None
    sort: str = ""
    # The order a column has when its header is pressed first, where that is not ascending.
    first_orders: frozenset[str] = field(default_factory=frozenset)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def paginate(
    queryset: "QuerySet[Any, Row]", *, order: Sequence[str], after: str = "", before: str = "", size: int = PAGE_SIZE
) -> KeysetPage[Row]:
    """The `size` rows after (or before) a cursor, in an order that must end in a unique column and hold no NULL.

    One query whose time does not grow with the page's distance, given an index on the columns of `order`. Raises
    NotUnderstood for a cursor that is not one of this order's.
    """
    if after and before:
        raise NotUnderstood(_("A page is either after or before a place, not both."))
    turned = bool(before)
    directed = [_turned(name) if turned else name for name in order]
    if after or before:
        queryset = queryset.filter(_beyond(queryset, directed, after or before))
    rows = list(queryset.order_by(*directed)[: size + 1])
    more = len(rows) > size
    rows = rows[:size]
    if turned:
        rows.reverse()
    has_previous = more if turned else bool(after)
    has_next = True if turned else more
    return KeysetPage(
        rows=rows,
        previous_cursor=_cursor(rows[0], order) if rows and has_previous else None,
        next_cursor=_cursor(rows[-1], order) if rows and has_next else None,
    )


def table_page(
    request: HttpRequest,
    queryset: "QuerySet[Any, Row]",
    *,
    sorts: Mapping[str, Sequence[str]],
    default: str,
    size: int = PAGE_SIZE,
) -> KeysetPage[Row]:
    """The page that the address names by `sort`, `after` and `before`.

    `sorts` maps a column's name in the address to its ascending order, as in `{"assigned": ("assigned_at", "id")}`;
    `default` is one of them, with `-` for descending. Raises NotUnderstood for an order that is not among them.
    """
    sort, order = _asked_order(request, sorts, default)
    page = paginate(
        queryset, order=order, after=request.GET.get("after", ""), before=request.GET.get("before", ""), size=size
    )
    return KeysetPage(page.rows, page.previous_cursor, page.next_cursor, sort, frozenset({default}))


def in_order(
    request: HttpRequest, queryset: "QuerySet[Any, Row]", *, sorts: Mapping[str, Sequence[str]], default: str
) -> "QuerySet[Any, Row]":
    """All rows in the order that the address names, as `table_page` reads it: for the export of a list."""
    return queryset.order_by(*_asked_order(request, sorts, default)[1])


def _asked_order(request: HttpRequest, sorts: Mapping[str, Sequence[str]], default: str) -> tuple[str, list[str]]:
    sort = request.GET.get("sort", default)
    columns = sorts.get(sort.removeprefix("-"))
    if columns is None:
        told = _("There is no order “%(name)s”. Orders are: %(orders)s.")
        raise NotUnderstood(told % {"name": sort, "orders": ", ".join(sorts)})
    return sort, [_turned(name) for name in columns] if sort.startswith("-") else list(columns)


class NoFilter(forms.Form):
    """A list that is shown as a whole: any other parameter than its order and page is an error."""


class ExportForm(NoFilter):
    """What a list's export knows besides the filters of the list."""

    format = forms.CharField(required=False)


def understood(form: forms.Form) -> dict[str, Any]:
    """The clean values of a filter form bound to the address.

    Raises NotUnderstood for an unknown name or value, and for a name that comes twice.
    """
    check_names(form.data, {*form.fields, *STATE_PARAMETERS})
    if not form.is_valid():
        problems = [f"{form.fields[name].label or name}: {errors[0]}" for name, errors in form.errors.items()]
        raise NotUnderstood(" ".join(problems))
    return form.cleaned_data


def check_names(query: Mapping[str, Any], known: Collection[str]) -> None:
    """Raise NotUnderstood for a parameter that would be passed over: an unknown one, or the first of two."""
    if unknown := set(query) - set(known):
        raise NotUnderstood(_("There is no filter “%(name)s”.") % {"name": min(unknown)})
    if isinstance(query, QueryDict) and (twice := {name for name, values in query.lists() if len(values) > 1}):
        raise NotUnderstood(_("The filter “%(name)s” is given twice.") % {"name": min(twice)})


def _turned(name: str) -> str:
    return name.removeprefix("-") if name.startswith("-") else f"-{name}"


def _value(row: Any, name: str) -> Any:
    for part in name.removeprefix("-").split("__"):
        row = row[part] if isinstance(row, dict) else getattr(row, part)
    if row is None:
        raise ValueError(f"{name} is NULL: a keyset order needs a value in each row (annotate a Coalesce)")
    return row


def _cursor(row: Any, order: Sequence[str]) -> str:
    text = json.dumps([_value(row, name) for name in order], cls=_ExactEncoder)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


class _ExactEncoder(DjangoJSONEncoder):
    """Times with their microseconds, which Django's encoder cuts to milliseconds: a cursor must name its very row."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if hasattr(o, "isoformat") else super().default(o)


def _place(queryset: "QuerySet[Any, Row]", order: Sequence[str], cursor: str) -> list[Value]:
    try:
        raw = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(raw, list) or len(raw) != len(order):
            raise ValueError(cursor)
        fields = [_output_field(queryset, name.removeprefix("-")) for name in order]
        return [_checked(kind, value) for kind, value in zip(fields, raw, strict=True)]
    except (ValueError, TypeError, ValidationError) as error:
        raise NotUnderstood(_("This page of the list does not exist.")) from error


def _checked(kind: "Field[Any, Any]", value: Any) -> Value:
    if value is None:
        raise ValueError("no value")
    found = kind.to_python(value)
    if isinstance(kind, IntegerField):
        # Beyond the column's range: the database would refuse it as an error of ours.
        kind.run_validators(found)
    return Value(found, output_field=kind)


def _output_field(queryset: "QuerySet[Any, Row]", name: str) -> "Field[Any, Any]":
    expression: Any = queryset.query.clone().resolve_ref(name)
    found: Field[Any, Any] = expression.output_field
    return found


class _Tuple(Func):
    """`(a, b)`."""

    template = "(%(expressions)s)"
    output_field = BooleanField()


def _beyond(queryset: "QuerySet[Any, Row]", order: Sequence[str], cursor: str) -> Q | Expression:
    """The rows behind the cursor's place."""
    place = _place(queryset, order, cursor)
    names = [name.removeprefix("-") for name in order]
    descending = {name.startswith("-") for name in order}
    if len(descending) == 1:
        # A comparison of rows is one condition on the index, however many rows share the first column.
        sign = " < " if descending.pop() else " > "
        left, right = _Tuple(*[F(name) for name in names]), _Tuple(*place)
        return Func(left, right, template="%(expressions)s", arg_joiner=sign, output_field=BooleanField())
    return _beyond_mixed(order, place)


def _beyond_mixed(order: Sequence[str], place: Sequence[Value]) -> Q:
    name, value = order[0].removeprefix("-"), place[0]
    side = "lt" if order[0].startswith("-") else "gt"
    condition = Q(**{f"{name}__{side}": value})
    if len(order) > 1:
        condition |= Q(**{name: value}) & _beyond_mixed(order[1:], place[1:])
    return condition
