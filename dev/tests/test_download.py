"""Only files that the lock knows are run."""

from pathlib import Path

import pytest

from dev import download
from dev.errors import Trouble

COORDINATE = "org.example:server:1.0:jar"


def offering(content: bytes):
    """A registry that has one file."""

    def get(_: str, staging: Path) -> Path:
        path = staging / "server-1.0.jar"
        path.write_bytes(content)
        return path

    return get


def unreachable(coordinate: str, staging: Path) -> Path:
    raise AssertionError("nothing should be downloaded")


@pytest.fixture
def checksum(tmp_path: Path) -> str:
    good = tmp_path / "good"
    good.write_bytes(b"good")
    return download.sha256(good)


def test_a_file_that_differs_from_the_lock_is_refused_and_not_kept(tmp_path: Path, checksum: str) -> None:
    with pytest.raises(Trouble, match=r"not the file of dev/servers\.lock\.json"):
        download.fetch(COORDINATE, checksum, tmp_path / "cache", offering(b"evil"))
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_a_file_of_the_lock_is_downloaded_once(tmp_path: Path, checksum: str) -> None:
    first = download.fetch(COORDINATE, checksum, tmp_path / "cache", offering(b"good"))
    assert download.fetch(COORDINATE, checksum, tmp_path / "cache", unreachable) == first
    assert first.read_bytes() == b"good"


def test_a_cached_file_that_was_damaged_is_downloaded_again(tmp_path: Path, checksum: str) -> None:
    download.fetch(COORDINATE, checksum, tmp_path / "cache", offering(b"good")).write_bytes(b"dam")
    assert download.fetch(COORDINATE, checksum, tmp_path / "cache", offering(b"good")).read_bytes() == b"good"


def test_the_lock_names_kafka_and_the_registry_and_no_address() -> None:
    kafka = download.locked_files("kafka")
    assert set(download.KAFKA) <= set(kafka)
    assert set(download.locked_files("registry")) == {download.REGISTRY}
    assert all(len(checksum) == 64 for checksum in kafka.values())
    assert "://" not in download.LOCK_FILE.read_text()
