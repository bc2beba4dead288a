"""The secrets of an installation: made once, changed one by one, each seen by those alone who need it."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.paths import ROOT, SERVICES, service_dir

SCRIPT = ROOT / "deploy" / "compose" / "make_secrets.py"
CONTAINERS: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


def defaults(environment: dict[str, str]) -> dict[str, str]:
    """The values as Compose fills them in where nothing is set."""

    def filled(text: str) -> str:
        while "${" in text:
            text = re.sub(r"\$\{[A-Z_]+:-([^${}]*)\}", r"\1", text)
        return text

    return {name: filled(str(value)) for name, value in environment.items()}


def run(folder: Path, *words: str) -> str:
    environment = {"PATH": os.environ["PATH"], "SECRETS_DIR": str(folder)}
    environment |= defaults(CONTAINERS["secrets"]["environment"])
    command = [sys.executable, str(SCRIPT), *words]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


def refused(folder: Path, *words: str) -> str:
    with pytest.raises(subprocess.CalledProcessError) as error:
        run(folder, *words)
    return str(error.value.stderr)


def contents(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in found}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    run(tmp_path)
    return tmp_path


def test_what_is_there_stays(folder: Path) -> None:
    before = {name: (text, (folder / name).stat().st_mtime_ns) for name, text in contents(folder).items()}
    assert run(folder) == "Nothing is missing.\n"
    assert {name: (text, (folder / name).stat().st_mtime_ns) for name, text in contents(folder).items()} == before


def test_a_secret_that_is_rotated_changes_where_it_is_used_and_nowhere_else(folder: Path) -> None:
    before = contents(folder)
    run(folder, "rotate", "client-tasks")
    after = contents(folder)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {
        "kept/secrets.json", "auth/OIDC_CLIENTS", "auth-owner/OIDC_CLIENTS",
        "tasks/OIDC_CLIENT_SECRET", "tasks-owner/OIDC_CLIENT_SECRET",
    }  # fmt: skip


def test_retired_keys_stay_readable(folder: Path) -> None:
    before = contents(folder)
    run(folder, "rotate", "signing-key")
    run(folder, "rotate", "price-key")
    after = contents(folder)
    assert json.loads(after["auth/OIDC_RSA_PRIVATE_KEYS_INACTIVE"]) == [before["auth/OIDC_RSA_PRIVATE_KEY"]]
    assert after["auth/OIDC_RSA_PRIVATE_KEY"] != before["auth/OIDC_RSA_PRIVATE_KEY"]
    new, old = after["billing/PRICE_KEYS"].split(",")
    assert old == before["billing/PRICE_KEYS"]
    assert new.split(":")[0] != old.split(":")[0]


def test_a_new_password_of_the_app_leaves_the_last_one_alone(folder: Path) -> None:
    passwords, addresses = [], []
    for _ in range(3):
        found = contents(folder)
        passwords.append((found["databases/billing_app"], found["databases/billing_app_b"]))
        addresses.append(found["billing/DATABASE_URL"])
        run(folder, "rotate", "database-billing-app")
    (first, nothing), (still_first, second), (third, still_second) = passwords
    assert (nothing, still_first, still_second) == ("", first, second)
    logins = ((addresses[0], "app", first), (addresses[1], "app_b", second), (addresses[2], "app", third))
    assert all(
        address == f"postgres://billing_{name}:{secret}@billing-db:5432/billing" for address, name, secret in logins
    )
    assert len({first, second, third}) == 3


@pytest.mark.parametrize("name", ["database-billing-superuser", "no-such-secret"])
def test_what_cannot_be_rotated_is_refused_and_nothing_changes(folder: Path, name: str) -> None:
    before = contents(folder)
    with pytest.raises(subprocess.CalledProcessError):
        run(folder, "rotate", name)
    assert contents(folder) == before


def test_each_folder_holds_the_secrets_of_its_containers_alone(folder: Path) -> None:
    kept = json.loads((folder / "kept" / "secrets.json").read_text())
    for service in SERVICES:
        seen = "".join(text for name, text in contents(folder).items() if name.startswith(f"{service}/"))
        foreign = [name for name in kept if name.startswith(("database-", "django-")) and service not in name]
        foreign += [f"database-{service}-owner", f"database-{service}-superuser", "grafana-admin"]
        assert [name for name in foreign if kept[name][0] in seen] == []


def test_the_values_are_for_their_owner_and_the_files_are_for_reading(folder: Path) -> None:
    modes = {name: stat.S_IMODE((folder / name).stat().st_mode) for name in contents(folder)}
    assert modes.pop("kept/secrets.json") == 0o600
    assert set(modes.values()) == {0o444}


def test_every_secret_that_the_documents_name_is_there(folder: Path) -> None:
    text = "".join((ROOT / name).read_text() for name in ("docs/operations.md", "k8s/README.md", "docker-compose.yml"))
    named = re.findall(r"secrets (?:show|rotate) ([a-z]+(?:-[a-z]+)*)", text)
    assert named.count("grafana-admin") == 3
    assert set(named) <= set(run(folder, "list").split())


def on_kubernetes(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """What the minikube overlay's own script says; it makes the secrets of the same folder."""
    environment = {"PATH": os.environ["PATH"], "SECRETS_DIR": str(folder)}
    script = ROOT / "k8s" / "overlays" / "minikube" / "make-secrets"
    return subprocess.run([script, *words], env=environment, capture_output=True, text=True, check=False)


def test_a_rotated_secret_is_taken_up_by_the_tool_that_runs_the_system(folder: Path) -> None:
    assert "Take it up: docker compose down && docker compose up -d\n" in run(folder, "rotate", "client-tasks")
    said = on_kubernetes(folder, "rotate", "client-tasks").stdout
    assert said.startswith("client-tasks is new. Take it up: kubectl ")
    assert "apply -k k8s/overlays/minikube" in said


@pytest.mark.parametrize("words", [["rotat"], ["env", "billing"]])
def test_words_that_nobody_knows_are_answered_with_those_that_there_are(folder: Path, words: list[str]) -> None:
    answer = on_kubernetes(folder, *words)
    assert answer.returncode == 1
    assert "k8s/overlays/minikube/make-secrets rotate NAME" in answer.stderr
    assert "docker" not in answer.stderr
    assert "docker compose run --rm secrets rotate NAME" in refused(folder, "rotat")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_starts_in_production_on_its_files(folder: Path, service: str) -> None:
    environment = defaults(CONTAINERS[service]["environment"])
    mounted = {name: value.replace("/run/secrets", str(folder / service)) for name, value in environment.items()}
    environment = {"PATH": os.environ["PATH"], **mounted}
    command = [sys.executable, "manage.py", "check"]
    outcome = subprocess.run(
        command, cwd=service_dir(service), env=environment, capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stderr


def test_a_service_from_source_finds_the_servers_on_the_host(folder: Path) -> None:
    lines = run(folder, "env", "billing").splitlines()
    settings = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    assert settings["DATABASE_URL"].endswith("@127.0.0.1:15434/billing'")
    assert settings["KAFKA_BOOTSTRAP_SERVERS"] == "'127.0.0.1:19092'"
    assert settings["PRICE_KEYS"] == f"'{contents(folder)['billing/PRICE_KEYS']}'"
