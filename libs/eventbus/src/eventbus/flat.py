"""Avro for flat records, compiled: for each schema a writer and a reader of its own, of straight-line Python.

A field may be a string, int, long, boolean, timestamp in microseconds, date, a union of null with one of these, or a
record of such fields. They take the plain case only, and raise for all else: then fastavro is asked, which may know
better (a default, a very long string) or says what is wrong. Tests hold them to fastavro's bytes and values.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import count
from typing import Any

Write = Callable[[Mapping[str, Any]], bytes]
Read = Callable[[bytes, int], dict[str, Any]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MOST_BYTES = 8  # of a number that is read here: as many as a moment's of this millennium
_KINDS = {"string", "int", "long", "boolean"}
_LOGICAL = {("long", "timestamp-micros"): "moment", ("int", "date"): "day"}


class Unfit(Exception):
    """Not the plain case."""


def writer(schema: Any) -> Write | None:
    """What makes the schema's bytes of a record; None for a schema that is not flat."""
    try:
        parts = list(_parts(schema, "record"))
    except Unfit:
        return None
    checks = "".join(f"    if len({name}) != {size}: raise Unfit\n" for name, size in _sizes(schema, "record"))
    return _compiled(f"def made(record):\n{checks}    return b''.join(({', '.join(parts)},))\n")  # type: ignore[no-any-return]


def reader(schema: Any) -> Read | None:
    """What reads a record of the schema from a place on, to the very end; None for a schema that is not flat."""
    try:
        lines, made = _reading(schema, count())
    except Unfit:
        return None
    body = "\n    ".join([*lines, "if p != len(v): raise Unfit", f"return {made}"])
    return _compiled(f"def made(v, p):\n    {body}\n")  # type: ignore[no-any-return]


def _compiled(source: str) -> Any:
    names: dict[str, Any] = dict(_HELPERS)
    exec(source, names)  # noqa: S102 - made of the names and types of a schema file of ours, as dataclasses are
    return names["made"]


def _kind(avro_type: Any) -> str:
    """What a field is, if it is simple."""
    if isinstance(avro_type, dict):
        kind = _LOGICAL.get((str(avro_type.get("type")), str(avro_type.get("logicalType"))), "")
    else:
        kind = avro_type if isinstance(avro_type, str) and avro_type in _KINDS else ""
    if not kind:
        raise Unfit
    return kind


def _optional(avro_type: list[Any]) -> tuple[str, int]:
    """The kind in a union with null, and the place of null in it."""
    if len(avro_type) != 2 or "null" not in avro_type:
        raise Unfit
    null = avro_type.index("null")
    return _kind(avro_type[1 - null]), null


def _is_record(avro_type: Any) -> bool:
    return isinstance(avro_type, dict) and avro_type.get("type") == "record"


# Writing: an expression for each field.


def _parts(schema: Any, record: str) -> Iterator[str]:
    for field in schema["fields"]:
        value, avro_type = f"{record}[{field['name']!r}]", field["type"]
        if _is_record(avro_type):
            yield from _parts(avro_type, value)
        elif isinstance(avro_type, list):
            kind, null = _optional(avro_type)
            nothing, some = bytes([2 * null]), bytes([2 * (1 - null)])
            yield f"{nothing!r} if (x := {value}) is None else {some!r} + {kind}_bytes(x)"
        else:
            yield f"{_kind(avro_type)}_bytes({value})"


def _sizes(schema: Any, record: str) -> Iterator[tuple[str, int]]:
    """How many fields each record has: one too many would be left out silently."""
    yield record, len(schema["fields"])
    for field in schema["fields"]:
        if _is_record(field["type"]):
            yield from _sizes(field["type"], f"{record}[{field['name']!r}]")


@lru_cache(maxsize=4096)
def _number_bytes(number: int) -> bytes:
    left = (number << 1) ^ (number >> 63)
    found = bytearray()
    while left > 127:
        found.append(left & 127 | 128)
        left >>= 7
    found.append(left)
    return bytes(found)


_LENGTHS = [_number_bytes(length) for length in range(1024)]


def _string_bytes(text: str) -> bytes:
    found = text.encode()
    return _LENGTHS[len(found)] + found


def _long_bytes(number: int) -> bytes:
    if type(number) is not int or not -(1 << 63) <= number < 1 << 63:
        raise Unfit
    return _number_bytes(number)


def _int_bytes(number: int) -> bytes:
    if type(number) is not int or not -(1 << 31) <= number < 1 << 31:
        raise Unfit
    return _number_bytes(number)


def _boolean_bytes(yes: bool) -> bytes:
    if type(yes) is not bool:
        raise Unfit
    return b"\x01" if yes else b"\x00"


@lru_cache(maxsize=1024)  # the events of a request or batch share their times
def _moment_bytes(moment: datetime) -> bytes:
    if type(moment) is not datetime or moment.utcoffset() is None:
        raise Unfit
    return _number_bytes((moment - _EPOCH) // _MICROSECOND)


def _day_bytes(day: date) -> bytes:
    if type(day) is not date:
        raise Unfit
    return _number_bytes(day.toordinal() - _EPOCH_DAY)


# Reading: a few statements for each field; `v` is the value, `p` the place in it, `n` a number.

_NUMBER = ["n = v[p]; p += 1", "if n > 127: n, p = number(v, p - 1)"]
_STATEMENTS = {
    "string": [*_NUMBER, "if n & 1: raise Unfit", "{x} = v[p:(p := p + (n >> 1))].decode()"],
    "int": [*_NUMBER, "{x} = n >> 1 ^ -(n & 1)"],
    "long": [*_NUMBER, "{x} = n >> 1 ^ -(n & 1)"],
    "boolean": ["{x} = truth[v[p]]; p += 1"],
    "moment": ["{x} = moment(v[p:(p := p + 8)])"],
    "day": [*_NUMBER, "{x} = day(n)"],
}


def _reading(schema: Any, names: Iterator[int]) -> tuple[list[str], str]:
    """The statements that read a record, and the expression that makes it."""
    lines: list[str] = []
    made: list[str] = []
    for field in schema["fields"]:
        avro_type = field["type"]
        if _is_record(avro_type):
            inner, found = _reading(avro_type, names)
            lines += inner
        else:
            found = f"x{next(names)}"
            lines += _field(avro_type, found)
        made.append(f"{field['name']!r}: {found}")
    return lines, f"{{{', '.join(made)}}}"


def _field(avro_type: Any, name: str) -> list[str]:
    if not isinstance(avro_type, list):
        return [line.format(x=name) for line in _STATEMENTS[_kind(avro_type)]]
    kind, null = _optional(avro_type)
    inner = [f"    {line.format(x=name)}" for line in _STATEMENTS[kind]]
    some, nothing = 2 * (1 - null), 2 * null
    return ["n = v[p]; p += 1", f"if n == {some}:", *inner, f"elif n == {nothing}: {name} = None", "else: raise Unfit"]


def _number(value: bytes, place: int) -> tuple[int, int]:
    """A number of several bytes, still in zigzag, and the place after it."""
    found = 0
    for shift in range(0, 7 * _MOST_BYTES, 7):
        byte = value[place]
        place += 1
        found |= (byte & 127) << shift
        if byte < 128:
            return found, place
    raise Unfit


@lru_cache(maxsize=1024)
def _moment(value: bytes) -> datetime:
    zigzag, size = _number(value, 0)
    if size != _MOST_BYTES:
        raise Unfit
    return _EPOCH + timedelta(microseconds=zigzag >> 1 ^ -(zigzag & 1))


def _day(zigzag: int) -> date:
    return date.fromordinal((zigzag >> 1 ^ -(zigzag & 1)) + _EPOCH_DAY)


_HELPERS: dict[str, Any] = {
    "Unfit": Unfit,
    "string_bytes": _string_bytes,
    "long_bytes": _long_bytes,
    "int_bytes": _int_bytes,
    "boolean_bytes": _boolean_bytes,
    "moment_bytes": _moment_bytes,
    "day_bytes": _day_bytes,
    "number": _number,
    "moment": _moment,
    "day": _day,
    "truth": (False, True),
}
