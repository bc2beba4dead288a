"""The runner of all tests tells what failed, and takes neither skipped tests nor none at all for a success."""

import sys
from pathlib import Path

import pytest

from dev.jobs import Job, run


def job(tmp_path: Path, *, code: int = 0, report: str = "") -> Job:
    path = tmp_path / "report.xml"
    if report:
        path.write_text(report)
    return Job("some", tmp_path, [[sys.executable, "-c", f"print('said'); raise SystemExit({code})"]], {}, path)


def suite(tests: int, skipped: int = 0) -> str:
    return f'<testsuites><testsuite tests="{tests}" skipped="{skipped}" /></testsuites>'


def test_a_suite_that_ran_passes_with_its_number_of_tests(tmp_path: Path) -> None:
    outcome = run(job(tmp_path, report=suite(3)))
    assert not outcome.problem
    assert outcome.line.startswith("passed  some, 3 tests")


@pytest.mark.parametrize(
    ("report", "problem"), [(suite(3, 1), "1 tests were skipped"), (suite(0), "no test ran"), ("", "no test ran")]
)
def test_skipped_or_missing_tests_fail_the_suite(tmp_path: Path, report: str, problem: str) -> None:
    assert problem in run(job(tmp_path, report=report)).problem


def test_a_failing_command_fails_the_job_and_keeps_what_it_said(tmp_path: Path) -> None:
    outcome = run(job(tmp_path, code=3, report=suite(3)))
    assert "ended with 3" in outcome.problem
    assert "said" in outcome.output
