"""Migrations only add: pods of the release before work on while those of the next one start."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.paths import ROOT

TAKING_AWAY = {"RemoveField", "DeleteModel", "RenameField", "RenameModel", "AlterModelTable"}
MIGRATIONS = sorted(
    path
    for folder in ("*_service/*/migrations", "libs/*/src/*/migrations", "libs/*/src/*/*/migrations")
    for path in ROOT.glob(f"{folder}/[0-9]*.py")
)


def taken_away(source: str) -> list[str]:
    """Operations on the database that code of the release before would miss; what Django alone knows does not count."""
    return [found for found in _operations(ast.parse(source)) if found in TAKING_AWAY]


def _operations(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.keyword) and child.arg == "state_operations":
            continue
        if isinstance(child, ast.Call) and isinstance(child.func, ast.Attribute):
            yield child.func.attr
        yield from _operations(child)


@pytest.mark.parametrize("path", [pytest.param(path, id=str(path.relative_to(ROOT))) for path in MIGRATIONS])
def test_a_migration_takes_nothing_away(path: Path) -> None:
    assert taken_away(path.read_text()) == []


def test_a_migration_that_takes_something_away_is_found() -> None:
    assert taken_away('operations = [migrations.RemoveField("account", "role")]') == ["RemoveField"]
    in_state = 'migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("account", "role")])'
    assert taken_away(in_state) == []
    assert len(MIGRATIONS) > 20
