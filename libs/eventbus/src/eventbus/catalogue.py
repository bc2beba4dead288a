"""The catalogue of schemas: the frozen files `<domain>/<event>/<version>.avsc`, read once."""

import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from fastavro import parse_schema

from eventbus import flat
from eventbus.conf import conf
from eventbus.flat import Read, Write

_INTEGERS = {"int", "long"}


@dataclass(frozen=True)
class Schema:
    """One version of one event's schema: the whole envelope record, with the bus's attributes."""

    name: str
    version: int
    topic: str
    key: str  # the field of `data` that is the record's key
    producer: str
    namespace: str
    text: str  # canonical JSON, as it is registered
    sha256: bytes
    parsed: Any  # for fastavro
    integers: tuple[str, ...]  # fields of `data` that are whole numbers
    write: Write  # of whole envelopes; it may raise where fastavro would not
    read: Read

    @cached_property
    def full_name(self) -> str:
        """Name of the Avro record with its namespace."""
        return f"{self.namespace}.{self.name}"

    def __hash__(self) -> int:
        return hash(self.sha256)


def canonical(text: str) -> str:
    """The same JSON text for the same schema, however it is laid out; ValueError if it is no JSON."""
    return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def fingerprint(text: str) -> bytes:
    """sha256 of the canonical text: what a record carries and a registry's answer is checked against."""
    return sha256(canonical(text).encode()).digest()


def read_schema(path: Path) -> Schema:
    """Read one schema file; ImproperlyConfigured if it lacks an attribute."""
    text = path.read_text(encoding="utf-8")
    source = json.loads(text)
    try:
        data = next(field["type"]["fields"] for field in source["fields"] if field["name"] == "data")
        return Schema(
            name=source["name"],
            version=source["version"],
            topic=source["topic"],
            key=source["key"],
            producer=source["producer"],
            namespace=source["namespace"],
            text=canonical(text),
            sha256=fingerprint(text),
            parsed=parse_schema(source),
            integers=tuple(field["name"] for field in data if _is_integer(field["type"])),
            write=flat.writer(source) or _unfit,
            read=flat.reader(source) or _unfit,
        )
    except (KeyError, StopIteration) as error:
        raise ImproperlyConfigured(f"{path} lacks {error}.") from error


def _unfit(*_: Any) -> NoReturn:
    raise flat.Unfit


def _is_integer(avro_type: Any) -> bool:
    """Whether the field is a plain whole number; Avro's writer would cut a float off silently."""
    if isinstance(avro_type, list):
        return any(_is_integer(member) for member in avro_type)
    return isinstance(avro_type, str) and avro_type in _INTEGERS


class Catalogue:
    """All schemas of an installation; a name stands for one event on one topic."""

    def __init__(self, folder: Path) -> None:
        self.schemas = [read_schema(path) for path in sorted(folder.glob("*/*/*.avsc"))]
        self.by_version = {(schema.name, schema.version): schema for schema in self.schemas}
        self.by_sha256 = {schema.sha256: schema for schema in self.schemas}
        self.topic_of = {schema.name: schema.topic for schema in self.schemas}
        self.writers = {schema.topic: schema.producer for schema in self.schemas}
        for schema in self.schemas:
            if self.topic_of[schema.name] != schema.topic or self.writers[schema.topic] != schema.producer:
                raise ImproperlyConfigured(f"{schema.full_name} has two topics, or {schema.topic} two writers.")

    @property
    def topics(self) -> list[str]:
        """Names of all topics, without prefix."""
        return sorted(self.writers)


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The catalogue of the configured folder."""
    return Catalogue(conf().schemas)


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "EVENTBUS":
        catalogue.cache_clear()


setting_changed.connect(_forget, dispatch_uid="eventbus.catalogue")
