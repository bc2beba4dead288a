"""A published file never changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from frozen import freeze, problems
from schema_files import ROOT


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / "schemas"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns("__pycache__", "tests", ".*"))
    return folder


def test_no_published_file_was_changed_removed_or_left_out():
    assert problems() == []


@pytest.mark.parametrize("name", ["tasks/task_created/1.avsc", "billing/task_priced/1.example.json"])
def test_one_changed_byte_of_a_published_file_is_noticed(copy: Path, name: str):
    path = copy / name
    path.write_bytes(path.read_bytes() + b"\n")

    assert problems(copy) == [f"{name} was changed after it was published: add a version instead"]


def test_a_removed_file_is_noticed(copy: Path):
    (copy / "tasks/task_created/1.avsc").unlink()

    assert problems(copy) == ["tasks/task_created/1.avsc was published and is gone"]


def test_freezing_adds_a_new_file_and_keeps_the_line_of_a_changed_one(copy: Path):
    changed = copy / "tasks/task_created/1.avsc"
    changed.write_bytes(changed.read_bytes() + b"\n")
    shutil.copy(copy / "tasks/task_created/2.avsc", copy / "tasks/task_created/3.avsc")

    assert freeze(copy) == ["tasks/task_created/3.avsc"]
    assert problems(copy) == ["tasks/task_created/1.avsc was changed after it was published: add a version instead"]
