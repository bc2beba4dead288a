"""Secrets are generated once and are nobody else's business."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dev import people
from dev.environment import service_environment
from dev.secrets_file import Secrets
from dev.servers import Servers


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    made = Secrets(tmp_path / "secrets.json").get("key")
    assert len(made) >= 32
    assert Secrets(tmp_path / "secrets.json").get("key") == made
    assert Secrets(tmp_path / "other.json").get("key") != made


def test_only_the_owner_reads_the_files(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path / "secrets.json")
    passwords = people.write_password_file(secrets, tmp_path / "passwords.json")
    assert mode(tmp_path / "secrets.json") == mode(passwords) == 0o600


def test_secrets_asked_for_side_by_side_are_all_kept(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path / "secrets.json")
    names = [f"name{number}" for number in range(20)]
    with ThreadPoolExecutor(max_workers=8) as pool:
        made = dict(zip(names, pool.map(secrets.get, names), strict=True))
    assert {name: Secrets(tmp_path / "secrets.json").get(name) for name in names} == made


def test_clients_know_the_secret_that_auth_knows(tmp_path: Path) -> None:
    servers = Servers(tmp_path)
    urls = {
        name: f"http://127.0.0.1:{number}" for number, name in enumerate(("auth", "tasks", "billing", "analytics"), 1)
    }
    common = {"servers": servers, "secrets": Secrets(tmp_path / "secrets.json"), "urls": urls}
    auth, billing = service_environment("auth", **common), service_environment("billing", **common)
    assert billing["OIDC_CLIENT_SECRET"] in auth["OIDC_CLIENTS"]
    assert "OIDC_RSA_PRIVATE_KEY" not in billing
    assert "\n" not in auth["OIDC_RSA_PRIVATE_KEY"]
    assert auth["SECRET_KEY"] != billing["SECRET_KEY"]
