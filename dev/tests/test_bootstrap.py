"""The first step works with Python's own library, and old Pythons can read it."""

import ast
import sys
from pathlib import Path

from dev import bootstrap
from dev.paths import ROOT

SOURCE = Path(bootstrap.__file__).read_text()


def test_it_imports_only_the_standard_library() -> None:
    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(ast.parse(SOURCE))
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {node.module.split(".")[0] for node in ast.walk(ast.parse(SOURCE)) if isinstance(node, ast.ImportFrom)}
    assert imported <= set(sys.stdlib_module_names)


def test_an_old_python_can_read_it_to_say_that_it_is_too_old() -> None:
    ast.parse(SOURCE, feature_version=(3, 7))


def test_the_lock_pins_the_installer_with_hashes() -> None:
    entry = bootstrap.locked("uv")
    assert entry.startswith("uv==")
    assert "--hash=sha256:" in entry
    assert entry.count("==") == 1


def test_no_lock_file_names_a_download_address() -> None:
    locks = [ROOT / "dev" / "requirements.lock", *ROOT.glob("*_service/requirements.lock")]
    assert len(locks) == 5
    assert all("://" not in path.read_text() for path in locks)
