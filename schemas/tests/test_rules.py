"""What every schema file keeps to (design.md "Topics and events")."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise

from schema_files import SchemaFile, schema_files, types_within, versions_of_each_event

ENVELOPE = {
    "event_id": "string",
    "event_name": "string",
    "event_version": "int",
    "event_time": {"type": "long", "logicalType": "timestamp-micros"},
    "producer": "string",
}
WRITERS = {
    "accounts-stream": "auth",
    "accounts": "auth",
    "tasks-stream": "tasks",
    "tasks": "tasks",
    "prices-stream": "billing",
    "transactions": "billing",
    "cycles": "billing",
}
MONEY = {"amount", "fee", "reward", "payout_sum"}


def test_the_envelope_is_the_same_in_every_file(file: SchemaFile):
    fields = {field["name"]: field["type"] for field in file.schema["fields"] if field["name"] != "data"}

    assert fields == ENVELOPE
    assert [field["name"] for field in file.schema["fields"]][-1] == "data"


def test_path_name_and_version_tell_the_same(file: SchemaFile):
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", file.name).lower()

    assert file.path.parent.name == snake
    assert file.schema["namespace"] == f"tracker.{file.domain}"
    assert file.schema["version"] == file.version


def test_the_key_is_a_required_string_of_the_data(file: SchemaFile):
    keys = [field for field in file.data_fields if field["name"] == file.schema["key"]]

    assert [field["type"] for field in keys] == ["string"]
    assert "default" not in keys[0]


def test_there_are_no_enums_and_no_floats(file: SchemaFile):
    names = {part["type"] if isinstance(part, dict) else part for part in types_within(file.schema)}

    assert not names & {"enum", "float", "double", "bytes"}


def test_money_is_integer_cents_next_to_its_currency(file: SchemaFile):
    fields = {field["name"]: field["type"] for field in file.data_fields}
    money = {name: avro_type for name, avro_type in fields.items() if name in MONEY}

    assert set(money.values()) <= {"long"}
    assert not money or fields["currency"] == "string"


def test_every_amount_in_cents_is_known_to_these_tests():
    in_cents = {field["name"] for file in schema_files() for field in file.data_fields if "cents" in field["doc"]}

    assert in_cents == MONEY


def test_times_and_days_have_their_logical_type(file: SchemaFile):
    for field in file.data_fields:
        if field["name"].endswith("_at"):
            assert field["type"] == {"type": "long", "logicalType": "timestamp-micros"}
        if field["name"].endswith("_date"):
            assert field["type"] == {"type": "int", "logicalType": "date"}


def test_an_optional_field_defaults_to_null_and_ids_are_strings(file: SchemaFile):
    for field in file.data_fields:
        if isinstance(field["type"], list):
            assert field["type"][0] == "null"
            assert field["default"] is None
        if field["name"].endswith("_id"):
            assert field["type"] in ("string", ["null", "string"])


def test_everything_is_documented(file: SchemaFile):
    docs = [file.schema["doc"], *(field["doc"] for field in [*file.schema["fields"], *file.data_fields])]

    assert all(doc.endswith(".") for doc in docs)


def test_a_topic_has_one_writer_and_one_key():
    topics = defaultdict(set)
    for file in schema_files():
        topics[file.schema["topic"]].add((file.schema["producer"], file.schema["key"]))

    assert {topic: producer for topic, pairs in topics.items() for producer, _ in pairs} == WRITERS
    assert all(len(pairs) == 1 for pairs in topics.values())


def test_versions_count_from_one_and_stay_on_their_topic():
    for versions in versions_of_each_event().values():
        assert [file.version for file in versions] == list(range(1, len(versions) + 1))
        assert len({(file.schema["topic"], file.schema["key"], file.schema["producer"]) for file in versions}) == 1


def test_an_event_of_accounts_and_tasks_carries_the_version_of_its_aggregate(file: SchemaFile):
    if file.schema["producer"] in ("auth", "tasks"):
        assert {"name": "version", "type": "long"}.items() <= next(
            field for field in file.data_fields if field["name"] == "version"
        ).items()


def test_a_field_added_by_a_later_version_has_a_default():
    for versions in versions_of_each_event().values():
        for older, newer in pairwise(versions):
            known = {field["name"] for field in older.data_fields}
            assert all("default" in field for field in newer.data_fields if field["name"] not in known)
