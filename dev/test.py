"""`make test`: everything that proves the system, on one set of real servers, at most three jobs at a time."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from dev import lint, warm
from dev.coverage_gate import combine_and_check
from dev.errors import Trouble
from dev.jobs import Job, Outcome
from dev.jobs import run as run_job
from dev.paths import LIBRARIES, LOCAL, ROOT, SERVICES, WARM, service_dir
from dev.pytest_servers import sweep
from dev.servers import Servers

SUITES: dict[str, Path] = {
    # The longest first, so that none is left to run alone.
    "e2e": ROOT / "tests" / "e2e",
    "billing": service_dir("billing"),
    "eventbus": ROOT / "libs" / "eventbus",
    "tasks": service_dir("tasks"),
    "auth": service_dir("auth"),
    "demo": ROOT / "tests" / "demo",
    "chassis": ROOT / "libs" / "chassis",
    "analytics": service_dir("analytics"),
    "schemas": ROOT / "schemas",
    "dev": ROOT / "dev" / "tests",
    "bench": ROOT / "bench" / "tests",
    "docs": ROOT / "tests" / "docs",
    "ops": ROOT / "tests" / "ops",
}
WITH_OWN_SERVERS = ("e2e", "demo", "dev")
WITHOUT_COVERAGE = ("schemas", "bench", "docs", "ops")
AT_ONCE = 3  # on two cores: some tests wait for servers that they stopped, others compute meanwhile


def run(suite: str, keyword: str) -> int:
    """All suites, or one of them on the warm servers."""
    return run_one(suite, keyword) if suite or keyword else run_all()


def run_one(suite: str, keyword: str) -> int:
    """The inner loop: one suite, its output as it comes."""
    if suite not in SUITES:
        raise Trouble(f"Say which tests: s= one of {', '.join(SUITES)}.")
    if suite not in WITH_OWN_SERVERS and not Servers(WARM).answer():
        warm.up()
    command = [sys.executable, "-m", "pytest", "-q", *(["-k", keyword] if keyword else [])]
    with subprocess.Popen(command, cwd=SUITES[suite]) as tests:
        while True:
            try:
                return tests.wait()
            except KeyboardInterrupt:
                print("Stopping", flush=True)  # Ctrl-C reaches the tests as well; they end what they started


def lint_alone() -> int:
    """ruff, import-linter and mypy."""
    return _tell_end(_together(lint.jobs()))


def run_all() -> int:
    """Lint, then every suite; the coverage of all of them together at the end."""
    started = time.monotonic()
    sweep("test")
    state_dir = LOCAL / f"test-{os.getpid()}"
    servers = Servers(state_dir, durable=False)
    with tempfile.TemporaryDirectory(prefix="tracker-test-") as folder:
        scratch = Path(folder)
        try:
            servers.start()
            outcomes = _together([*(_suite(name, scratch, state_dir) for name in SUITES), *lint.jobs()])
        finally:
            servers.destroy()
        failed = _tell_end(outcomes)
        problems = combine_and_check(scratch)
    print(f"{sum(outcome.tests for outcome in outcomes)} tests, {time.monotonic() - started:.0f} s in all", flush=True)
    for problem in problems:
        print(problem, file=sys.stderr)
    return failed or int(bool(problems))


def _suite(name: str, scratch: Path, state_dir: Path) -> Job:
    report = scratch / f"{name}.xml"
    command = [sys.executable, "-m", "pytest", "-q", "--color=no", f"--junitxml={report}"]
    environment = {"TRACKER_SHARED": str(state_dir), "COVERAGE_FILE": str(scratch / f"coverage.{name}")}
    if name in WITH_OWN_SERVERS or name in WITHOUT_COVERAGE:
        del environment["COVERAGE_FILE"]
    else:
        command += [f"--cov-config={ROOT / 'pyproject.toml'}", "--cov-report=", *_covered(name)]
    return Job(name, SUITES[name], [command], environment, report)


def _covered(name: str) -> list[str]:
    """What a suite's coverage counts for: the libraries always, a service in its own suite."""
    folders = [ROOT / "libs" / library / "src" for library in LIBRARIES]
    if name in SERVICES:
        folders.append(service_dir(name))
    return [f"--cov={folder}" for folder in folders]


def _together(jobs: Iterable[Job]) -> list[Outcome]:
    """Jobs side by side, each told when it ends."""
    outcomes = []
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        for future in as_completed([pool.submit(run_job, job) for job in jobs]):
            outcomes.append(future.result())
            print(outcomes[-1].line, flush=True)
    return outcomes


def _tell_end(outcomes: list[Outcome]) -> int:
    """Show the output of what failed; the exit code of all."""
    failed = [outcome for outcome in outcomes if outcome.problem]
    for outcome in failed:
        print(f"\n===== {outcome.job.name} {outcome.problem} =====\n{outcome.output}", flush=True)
    if failed:
        print(f"FAILED: {', '.join(outcome.job.name for outcome in failed)}", file=sys.stderr)
    return int(bool(failed))
