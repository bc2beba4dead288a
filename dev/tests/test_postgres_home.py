"""Postgres does not run as root: then it runs as somebody who can enter its folders."""

from pathlib import Path

import pytest

from dev.servers import postgres_home


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    return folder / "state" / "postgres"


def test_a_plain_user_runs_it_where_it_was_asked_to(closed: Path) -> None:
    assert postgres_home.find_home(closed, is_root=False) == postgres_home.Home(postgres_home.BINARIES, closed, None)


@pytest.fixture(autouse=True)
def open_to_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(postgres_home, "OPEN_TO_ALL", tmp_path / "open")
    monkeypatch.setattr(postgres_home, "BINARIES", Path("/usr/bin"))
    return tmp_path / "open"


def test_data_of_a_directory_that_is_gone_is_forgotten(closed: Path) -> None:
    gone = postgres_home.find_home(closed, is_root=True).directory
    gone.mkdir()
    closed.parent.rmdir()
    postgres_home.find_home(closed.parent.with_name("next") / "postgres", is_root=True)
    assert not gone.exists()


def test_root_gives_it_a_folder_that_others_can_enter(closed: Path) -> None:
    home = postgres_home.find_home(closed, is_root=True)
    assert home.user == "nobody"
    assert home.directory.parent == postgres_home.OPEN_TO_ALL
    assert postgres_home.find_home(closed, is_root=True) == home
    assert postgres_home.find_home(closed.with_name("other"), is_root=True).directory != home.directory
