"""Ctrl-C while tests run that started something."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from dev.paths import ROOT

RUN = """
import sys
from pathlib import Path
from dev import test
test.SUITES = {"mine": Path(sys.argv[1])}
test.WITH_OWN_SERVERS = ("mine",)
sys.exit(test.run_one("mine", ""))
"""
TESTS = """
import time
from pathlib import Path
import pytest

@pytest.fixture(scope="session")
def system():
    Path("started").touch()
    yield
    time.sleep(1)
    Path("stopped").touch()

def test_something(system):
    time.sleep(60)
"""


def test_the_tests_end_what_they_started(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # A shell that runs the tests in the background lets them ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    deadline = time.monotonic() + 30
    while not (tmp_path / "started").exists():
        assert run.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGINT)
    assert run.wait(30) != 0
    assert (tmp_path / "stopped").exists()
