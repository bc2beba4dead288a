"""Programs are found again, end when asked, and come back when they crash."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from dev.errors import Trouble
from dev.process import Process
from dev.supervisor import Program, Supervisor

FOREVER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
]


def eventually(check: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    made = Process("program", tmp_path)
    yield made
    made.kill()


def test_another_object_finds_and_stops_the_same_program(process: Process, tmp_path: Path) -> None:
    process.start(FOREVER)
    other = Process("program", tmp_path)
    assert other.running
    other.stop()
    assert not process.running


def test_a_pid_that_was_given_to_another_program_is_not_ours(process: Process, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "program.pid").write_text(f"{os.getpid()} 12345.0")
    assert not process.running
    process.stop()


def test_a_program_is_found_after_the_clock_was_set(
    process: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.start(FOREVER)
    set_back = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: set_back(self) - 3600)
    assert process.running
    assert sys.platform == "darwin" or Process("program", tmp_path).running


def test_a_program_whose_time_was_written_is_found(process: Process, tmp_path: Path) -> None:
    process.start(FOREVER)
    pid, _ = (tmp_path / "run" / "program.pid").read_text().split()
    (tmp_path / "run" / "program.pid").write_text(f"{pid} {psutil.Process(int(pid)).create_time()}")
    assert Process("program", tmp_path).running


def test_a_program_that_nobody_could_find_does_not_stay(process: Process, tmp_path: Path) -> None:
    (tmp_path / "run" / "program.pid").mkdir(parents=True)  # cannot be written, as on a full disk
    before = psutil.Process().children()
    with pytest.raises(IsADirectoryError):
        process.start(FOREVER)
    assert set(psutil.Process().children()) <= set(before)


def test_a_program_that_runs_is_found_without_its_file(process: Process, tmp_path: Path) -> None:
    process.start(FOREVER)
    (tmp_path / "run" / "program.pid").write_text("")
    assert process.running


def test_a_program_that_ignores_the_request_to_end_is_killed(process: Process) -> None:
    process.start(STUBBORN)
    process.wait_until(lambda: "up" in process.tail(), 10)
    process.stop(seconds=0.3)
    assert not process.running


def test_a_program_that_ends_while_starting_is_told_with_its_last_words(process: Process) -> None:
    process.start([sys.executable, "-c", "raise SystemExit('no such thing')"])
    with pytest.raises(Trouble, match=r"(?s)program stopped while starting.*no such thing"):
        process.wait_until(lambda: False, 10)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[tuple[Supervisor, list[str]]]:
    said: list[str] = []
    made = Supervisor(tmp_path, said.append)
    yield made, said
    made.close(2)


def test_a_crashed_program_is_started_again_and_told(supervisor: tuple[Supervisor, list[str]], tmp_path: Path) -> None:
    keeper, said = supervisor
    keeper.add("program", FOREVER, {}, tmp_path)
    keeper.start("program")
    first = keeper.programs["program"].process.find()
    keeper.kill("program")
    eventually(lambda: (found := keeper.programs["program"].process.find()) is not None and found != first)
    assert "program ended unexpectedly" in said[0]


def test_a_stopped_program_stays_down(supervisor: tuple[Supervisor, list[str]], tmp_path: Path) -> None:
    keeper, said = supervisor
    keeper.add("program", FOREVER, {}, tmp_path)
    keeper.start("program")
    keeper.stop("program")
    time.sleep(1.5)
    assert not keeper.programs["program"].process.running
    assert not said


def test_a_program_that_cannot_be_started_is_told_and_tried_again_later_each_time(
    supervisor: tuple[Supervisor, list[str]], tmp_path: Path
) -> None:
    keeper, said = supervisor
    program = tmp_path / "program"
    program.symlink_to(sys.executable)
    keeper.add("program", [str(program), *FOREVER[1:]], {}, tmp_path)
    keeper.start("program")
    program.unlink()
    keeper.kill("program")
    eventually(lambda: len(said) > 2)
    assert "program cannot be started" in said[1]
    assert "again in 4 s" in said[2]
    program.symlink_to(sys.executable)
    eventually(lambda: keeper.programs["program"].process.running)


def test_pauses_between_crashes_grow_to_half_a_minute(tmp_path: Path) -> None:
    program = Program(Process("program", tmp_path), FOREVER, {}, tmp_path, started=time.monotonic())
    pauses = []
    for _ in range(7):
        program.note_crash()
        pauses.append(program.pause)
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
