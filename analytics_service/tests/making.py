"""Events as the consumer hands them over, made from the examples of the schemas."""

from __future__ import annotations

import itertools
import json
import re
import zlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from django.conf import settings

from eventbus import Event

NAMESPACE = UUID("0b6f0f2e-52d4-4b7b-9a57-6d2f7f1f6c11")
PARTITIONS = 12
DOMAINS = {"Account": "accounts", "Task": "tasks"}
_offsets = itertools.count(1)


def uid(name: object) -> str:
    """The id that a test calls by this name."""
    return str(uuid5(NAMESPACE, str(name)))


def at(day: date, hour: int = 12, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), UTC)


def make(name: str, /, *, schema_version: int | None = None, moment: datetime | None = None, **data: Any) -> Event:
    """An event like the schema's example, with these fields of its data."""
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    folder = next(settings.EVENTBUS["SCHEMAS"].glob(f"*/{snake}"))
    number = schema_version or max(int(path.stem) for path in folder.glob("*.avsc"))
    schema = json.loads((folder / f"{number}.avsc").read_text())
    example = json.loads((folder / f"{number}.example.json").read_text())
    fields = next(field["type"]["fields"] for field in schema["fields"] if field["name"] == "data")
    full = {field["name"]: _typed(field["type"], example["data"][field["name"]]) for field in fields} | data
    assert set(full) == {field["name"] for field in fields}
    key = full[schema["key"]]
    received = (moment or datetime.fromisoformat(example["event_time"])) + timedelta(seconds=1)
    return Event(
        name=name,
        version=number,
        key=key,
        time=moment or datetime.fromisoformat(example["event_time"]),
        data=full,
        id=uuid4(),
        topic=schema["topic"],
        producer=schema["producer"],
        received_at=received,
        partition=zlib.crc32(key.encode()) % PARTITIONS,
        offset=next(_offsets),
    )


def _typed(avro_type: Any, value: Any) -> Any:
    logical = avro_type.get("logicalType") if isinstance(avro_type, Mapping) else None
    if logical == "timestamp-micros":
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if logical == "date" else value


def posted(
    kind: str,
    amount: int,
    day: date,
    *,
    transfer: object = None,
    account: object = "wilma",
    task: object | None = "cage",
    reverses: object | None = None,
    moment: datetime | None = None,
    **data: Any,
) -> Event:
    """A TransactionPosted: `amount` in cents, signed as the worker's balance sees it."""
    occurred_at = moment or at(day)
    return make(
        "TransactionPosted",
        moment=occurred_at,
        transfer_id=uid(transfer) if transfer is not None else str(uuid4()),
        account_id=uid(account),
        task_id=uid(task) if task is not None else None,
        kind=kind,
        amount=amount,
        occurred_at=occurred_at,
        business_date=day,
        reverses=uid(reverses) if reverses is not None else None,
        **data,
    )


def earned(reward: int, day: date, *, task: object = "cage", completion: int = 1, **more: Any) -> Event:
    """The reward of a completion; its transfer is called `earning:<task>:<completion>`."""
    return posted("earning", reward, day, task=task, transfer=f"earning:{task}:{completion}", **more)


def reversed_(reward: int, day: date, *, task: object = "cage", completion: int = 1, **more: Any) -> Event:
    """The reversal of `earned` with the same task and completion."""
    name = f"earning:{task}:{completion}"
    return posted("reversal", -reward, day, task=task, transfer=f"reversal:{name}", reverses=name, **more)
