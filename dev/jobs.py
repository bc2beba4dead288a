"""A piece of the proof: commands run one after the other in a folder, their output kept until somebody wants it."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree


@dataclass(slots=True)
class Job:
    """Commands with a name. `report` is the JUnit file of a job that runs tests."""

    name: str
    folder: Path
    commands: Sequence[Sequence[str]]
    environment: Mapping[str, str] = field(default_factory=dict)
    report: Path | None = None


@dataclass(slots=True)
class Outcome:
    """What became of a job."""

    job: Job
    seconds: float
    output: str
    problem: str
    tests: int = 0

    @property
    def line(self) -> str:
        """One line for the summary."""
        count = f", {self.tests} tests" if self.job.report else ""
        return f"{'FAILED' if self.problem else 'passed'}  {self.job.name}{count}, {self.seconds:.0f} s  {self.problem}"


def run(job: Job) -> Outcome:
    """Run a job; it fails with its first failing command."""
    started = time.monotonic()
    output: list[str] = []
    problem = ""
    for command in job.commands:
        result = subprocess.run(
            command,
            cwd=job.folder,
            env={**os.environ, **job.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        output.append(result.stdout)
        if result.returncode:
            problem = f"({Path(command[0]).name} ended with {result.returncode})"
            break
    tests, doubt = count(job.report) if job.report else (0, "")
    return Outcome(job, time.monotonic() - started, "".join(output), problem or doubt, tests)


def count(report: Path) -> tuple[int, str]:
    """How many tests a report holds, and what is wrong with it: nothing may be skipped, and something must have run."""
    if not report.exists():
        return 0, "(no test ran)"
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    tests = sum(int(suite.get("tests", "0")) for suite in suites)
    skipped = sum(int(suite.get("skipped", "0")) for suite in suites)
    if skipped:
        return tests, f"({skipped} tests were skipped: each test has to run)"
    return tests, "" if tests else "(no test ran)"
