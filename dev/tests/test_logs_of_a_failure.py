"""What a failing test tells of the system that it used, asked of a pytest of its own."""

import subprocess
import sys
from pathlib import Path

from dev.paths import ROOT

CONFTEST = """
import pathlib
import pytest

pytest_plugins = ["dev.pytest_logs"]

@pytest.fixture(autouse=True)
def system(tell_logs_of):
    tell_logs_of(pathlib.Path(__file__).parent)
"""
LOG = """\
2026-11-29T12:20:56.113923Z [info     ] relay_ready  [eventbus.relay]
2026-11-29T12:20:57.113923Z [warning  ] relay_lost  [eventbus.relay]
{"event": "relay_gone", "level": "error"}
"""


def run(folder: Path, test: str) -> str:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(f"def test_it(): {test}\n")
    (folder / "logs").mkdir()
    (folder / "logs" / "relay.log").write_text(LOG)
    (folder / "logs" / "web.log").write_text("2026-11-29T12:20:56.113923Z [info     ] Listening\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={folder}", "-c", "/dev/null"]
    result = subprocess.run([*command, str(folder)], cwd=ROOT, capture_output=True, text=True, check=False)
    return result.stdout + result.stderr


def test_a_failure_tells_the_last_warnings_of_each_log(tmp_path: Path) -> None:
    told = run(tmp_path, "assert False")

    assert "1 failed" in told
    assert "relay.log, last warnings" in told
    assert "relay_lost" in told
    assert "relay_gone" in told
    assert "relay_ready" not in told
    assert "web.log" not in told


def test_a_success_tells_none(tmp_path: Path) -> None:
    told = run(tmp_path, "pass")

    assert "1 passed" in told
    assert "relay_lost" not in told
