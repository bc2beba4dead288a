"""Pytest plugin: a test that fails tells the last warnings of the system that it used, which is gone afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

FOLDERS = pytest.StashKey[list[Path]]()
_LINES = 8
_WIDTH = 240
_WARNING = re.compile(
    r"\[(warning|error|critical) *\]|\"level\": ?\"(warning|error|critical)\"|^Traceback|\b(WARN|ERROR|FATAL)\b"
)


@pytest.fixture(scope="session")
def tell_logs_of(pytestconfig: pytest.Config) -> Callable[[Path], None]:
    """Names the state directory of a system that is told of, too, when a test fails from now on."""
    return lambda state_dir: pytestconfig.stash.setdefault(FOLDERS, []).append(state_dir / "logs")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the last warnings of each log to the report of a failure."""
    report = yield
    if report.failed:
        report.sections += [(f"{log.name}, last warnings", text) for log, text in warnings(item.config)]
    return report


def warnings(config: pytest.Config) -> Iterator[tuple[Path, str]]:
    """Logs that hold warnings, with the last of them."""
    for folder in config.stash.get(FOLDERS, []):
        for log in sorted(folder.glob("*.log")):
            with log.open(errors="replace") as lines:
                found = [line.rstrip()[:_WIDTH] for line in lines if _WARNING.search(line)]
            if found:
                yield log, "\n".join(found[-_LINES:])
