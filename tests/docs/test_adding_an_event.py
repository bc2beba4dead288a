"""`docs/adding-an-event.md` done as it says, in a copy of the checkout."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dev.documents import blocks, tracked
from dev.paths import ROOT, WARM

DOCUMENT = (ROOT / "docs/adding-an-event.md").read_text()
STEP_ONE = DOCUMENT[DOCUMENT.index("## 1. Schema") : DOCUMENT.index("## 2. Consumers")]
NEW = Path("schemas/tasks/task_reopened")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the commands read: schemas, the tables of subscriptions, the tools of the tests."""
    for path in tracked(""):
        name = path.relative_to(ROOT)
        if name.parts[0] in {"schemas", "dev"} or (name.parts[0].endswith("_service") and path.suffix == ".py"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, tmp_path / name)
    return tmp_path


def typed(script: str, checkout: Path) -> subprocess.CompletedProcess[str]:
    """A block of the document in a shell at the top of the checkout, in which `python` is that of the project."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shared = os.environ.get("TRACKER_SHARED") or str(WARM)
    return subprocess.run(
        ["sh", "-ec", script],
        cwd=checkout,
        env={**os.environ, "PATH": path, "TRACKER_SHARED": shared},
        capture_output=True,
        text=True,
        check=False,
    )


def edit(path: Path, change: Any) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content, indent=2) + "\n")


def write_the_version(checkout: Path) -> None:
    """What the document tells to change by hand, with the field that it shows."""
    shown = re.search(r"```json\n(.*?)```", STEP_ONE, re.DOTALL)
    assert shown
    field = json.loads(shown[1])

    def schema(content: dict[str, Any]) -> None:
        content["version"] = 2
        data = next(part for part in content["fields"] if part["name"] == "data")
        data["type"]["fields"].append(field)

    def example(content: dict[str, Any]) -> None:
        content |= {"event_version": 2, "event_id": "0190a1b2-0000-7000-8000-00000000beef"}
        content["data"][field["name"]] = "It was not done"

    edit(checkout / NEW / "2.avsc", schema)
    edit(checkout / NEW / "2.example.json", example)


def test_a_version_comes_in_as_the_document_says(checkout: Path) -> None:
    copying, freezing = blocks(STEP_ONE)

    assert typed(copying, checkout).returncode == 0
    write_the_version(checkout)
    tried = typed(freezing, checkout)

    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert f"frozen: {Path(*NEW.parts[1:]) / '2.avsc'}" in tried.stdout
    assert re.search(r"\d+ passed", tried.stdout)
    assert "reason" in (checkout / "schemas/README.md").read_text()


def test_what_is_incompatible_fails_where_the_document_says(checkout: Path) -> None:
    copying, freezing = blocks(STEP_ONE)
    typed(copying, checkout)
    write_the_version(checkout)

    def without_default(content: dict[str, Any]) -> None:
        data = next(part for part in content["fields"] if part["name"] == "data")
        del data["type"]["fields"][-1]["default"]
        data["type"]["fields"][-1]["type"] = "string"

    edit(checkout / NEW / "2.avsc", without_default)

    tried = typed(freezing, checkout)

    failed = set(re.findall(r"^FAILED tests/(\w+)\.py", tried.stdout, re.MULTILINE))
    assert tried.returncode != 0
    assert failed == {"test_compatibility", "test_registry", "test_rules"}, tried.stdout + tried.stderr
