"""Ids of schemas: cached in the service's own database, learned from the registry, checked against the frozen files."""

import json
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from django.db import connection

from eventbus.catalogue import Catalogue, Schema, catalogue, fingerprint
from eventbus.codec import parse_sha256
from eventbus.conf import conf
from eventbus.errors import Rejected, TransientError

_TIMEOUT_SECONDS = 3
_CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"
_UNKNOWN = (40401, 40403)  # the API's codes for a subject and for a schema that it does not have

# Reads or writes the cache on whatever connection the caller has: (SQL, parameters) -> rows.
Query = Callable[[str, tuple[Any, ...]], list[tuple[Any, ...]]]


class RegistryAway(TransientError):
    """The registry does not answer."""


class RegistryRefused(TransientError):
    """The registry does not take the schema, because it is incompatible or invalid: where there is nobody to tell, as
    in a relay, it is asked again later."""


class Registry:
    """The few calls of the registry's Confluent API that the bus needs, without a cache of their own.

    All of them raise RegistryAway where the registry does not answer.
    """

    def __init__(self, url: str, *, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self._url = url.rstrip("/")
        self._timeout = timeout_seconds

    def text(self, schema_id: int) -> str | None:
        """The schema's text, or None if the registry does not know the id."""
        found = self._call("GET", f"/schemas/ids/{schema_id}")
        return None if found is None else str(found["schema"])

    def lookup(self, schema: Schema) -> int | None:
        """The id under which the schema is registered, or None."""
        found = self._call("POST", f"/subjects/{_subject(schema)}", {"schema": schema.text})
        return None if found is None else int(found["id"])

    def register(self, schema: Schema) -> int:
        """Register the schema as compatible with all versions, both ways, and return its id. RegistryRefused if not."""
        self._require_compatibility(_subject(schema))
        found = self._call("POST", f"/subjects/{_subject(schema)}/versions", {"schema": schema.text})
        if found is None:
            raise RegistryRefused(f"{self._url} does not offer registration.")
        return int(found["id"])

    def _require_compatibility(self, subject: str) -> None:
        rule = {"compatibility": "FULL_TRANSITIVE"}
        try:
            self._call("PUT", f"/config/{subject}", rule)
        except RegistryRefused:
            # Another service's deployment made the rule between the registry's look and its write: now it is there.
            self._call("PUT", f"/config/{subject}", rule)

    def _call(self, method: str, path: str, body: dict[str, str] | None = None) -> dict[str, Any] | None:
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, data, {"Content-Type": _CONTENT_TYPE}, method=method)  # noqa: S310
        try:
            try:
                with urlopen(request, timeout=self._timeout) as response:  # noqa: S310
                    return _object(response.read())
            except HTTPError as error:
                status, answer = error.code, error.read()
        except (OSError, HTTPException, ValueError) as error:
            raise RegistryAway(f"The schema registry does not answer: {error}") from error
        if status == HTTPStatus.NOT_FOUND and _says_unknown(answer):
            return None
        detail = f"{status} {answer.decode(errors='replace')}"
        if status in {HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}:
            raise RegistryRefused(detail)
        raise RegistryAway(f"The schema registry answers {detail}")


def _object(answer: bytes) -> dict[str, Any]:
    found = json.loads(answer)
    if not isinstance(found, dict):
        raise ValueError(f"{answer!r} is no object")
    return found


def _says_unknown(answer: bytes) -> bool:
    """Whether a 404 is the registry's own: a proxy's says nothing about schemas."""
    try:
        return _object(answer).get("error_code") in _UNKNOWN
    except ValueError:
        return False


def _subject(schema: Schema) -> str:
    """TopicRecordName: the topic and the record's full name."""
    return quote(f"{conf().topic_prefix}{schema.topic}-{schema.full_name}", safe="")


def django_query(sql: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Run SQL on Django's connection."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall()) if cursor.description else []


class CachedIds:
    """Ids of schemas as the own database knows them; what it does not know is asked for and kept."""

    def __init__(self, query: Query = django_query, registry: Registry | None = None) -> None:
        self._query = query
        self._registry = registry or Registry(conf().registry_url)
        self._catalogue: Catalogue = catalogue()
        self._sha256: dict[int, bytes] = {}
        self._ids: dict[bytes, int] = {}
        self._checked: dict[tuple[int, bytes], Schema] = {}  # by id and the header as it came

    def schema(self, schema_id: int, sha256: bytes) -> Schema:
        """The frozen schema of a record that names this id and this sha256 (hexadecimal).

        Rejected where the registry knows no such schema or another one, and where there is no frozen file of it;
        RegistryAway where the registry would have to be asked and does not answer.
        """
        found = self._checked.get((schema_id, sha256))
        if found is None:
            found = self._checked[schema_id, sha256] = self._check(schema_id, parse_sha256(sha256))
        return found

    def id_of(self, schema: Schema) -> int | None:
        """The id to write with, or None while the schema is not registered. RegistryAway as above."""
        if schema.sha256 not in self._ids:
            rows = self._query("SELECT max(id) FROM eventbus_schema WHERE sha256 = %s", (schema.sha256,))
            known = rows[0][0]
            if known is None and (known := self._registry.lookup(schema)) is not None:
                self.remember(known, schema.text)
            if known is None:
                return None
            self._ids[schema.sha256] = known
        return self._ids[schema.sha256]

    def remember(self, schema_id: int, text: str) -> bytes:
        """Keep what the registry says about an id, and forget older meanings of it and other ids of the schema."""
        sha256 = fingerprint(text)
        self._query("DELETE FROM eventbus_schema WHERE id = %s OR sha256 = %s", (schema_id, sha256))
        self._query(
            "INSERT INTO eventbus_schema (id, sha256, text) VALUES (%s, %s, %s)"
            " ON CONFLICT (id) DO UPDATE SET sha256 = excluded.sha256, text = excluded.text",
            (schema_id, sha256, text),
        )
        self._sha256[schema_id] = sha256
        return sha256

    def _check(self, schema_id: int, sha256: bytes) -> Schema:
        if self._cached(schema_id) != sha256:
            # Unknown, or the registry was rebuilt and gives ids anew.
            text = self._registry.text(schema_id)
            if text is None:
                raise Rejected("unknown_schema", f"The registry knows no schema {schema_id}.")
            if self.remember(schema_id, text) != sha256:
                raise Rejected("other_schema", f"Schema {schema_id} is not the one that the record was written with.")
        found = self._catalogue.by_sha256.get(sha256)
        if found is None:
            raise self._unknown(schema_id)
        return found

    def _cached(self, schema_id: int) -> bytes | None:
        if schema_id not in self._sha256:
            rows = self._query("SELECT sha256 FROM eventbus_schema WHERE id = %s", (schema_id,))
            if rows:
                self._sha256[schema_id] = bytes(rows[0][0])
        return self._sha256.get(schema_id)

    def _unknown(self, schema_id: int) -> Rejected:
        text = self._query("SELECT text FROM eventbus_schema WHERE id = %s", (schema_id,))[0][0]
        name = str(json.loads(text).get("name", "?")) if isinstance(json.loads(text), dict) else text
        if name in self._catalogue.topic_of:
            return Rejected("unknown_version", f"Of {name}, schema {schema_id} is none of the versions known here.")
        return Rejected("unknown_event", f"{name}, schema {schema_id}, is no event known here.")


class FixedIds:
    """Ids without a registry, for the in-memory broker: the place in the catalogue."""

    def __init__(self) -> None:
        self._catalogue = catalogue()
        self._ids = {schema.sha256: number for number, schema in enumerate(self._catalogue.schemas, start=1)}

    def schema(self, schema_id: int, sha256: bytes) -> Schema:
        """As CachedIds does."""
        if not 0 < schema_id <= len(self._catalogue.schemas):
            raise Rejected("unknown_schema", f"The registry knows no schema {schema_id}.")
        found = self._catalogue.schemas[schema_id - 1]
        if found.sha256 != parse_sha256(sha256):
            raise Rejected("other_schema", f"Schema {schema_id} is not the one that the record was written with.")
        return found

    def id_of(self, schema: Schema) -> int | None:
        """As CachedIds does."""
        return self._ids.get(schema.sha256)
