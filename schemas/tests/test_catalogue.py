"""README.md is made from the files."""

from __future__ import annotations

from pathlib import Path

from catalogue import catalogue, consumers
from schema_files import ROOT, schema_files


def test_the_catalogue_is_up_to_date():
    assert (ROOT / "README.md").read_text(encoding="utf-8") == catalogue(), "run python schemas/catalogue.py"


def test_the_catalogue_names_every_field_and_version():
    text = catalogue()

    for file in schema_files():
        assert f"Example, version {file.version}" in text
        assert all(f"| `{field['name']}` |" in text for field in file.data_fields)


def test_consumers_are_read_from_the_tables_of_the_services(tmp_path: Path):
    events = tmp_path / "mail_service" / "mail" / "events"
    events.mkdir(parents=True)
    table = 'CONSUMERS: Table = {"a": {"TaskCreated": apply, "TaskUpdated": apply}, "b": {"TaskPriced": apply}}'
    (events / "consumed.py").write_text(f"from mail.services import apply\n{table}\n")

    assert consumers(tmp_path) == {"TaskCreated": ["mail"], "TaskUpdated": ["mail"], "TaskPriced": ["mail"]}
