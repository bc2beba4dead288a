"""The images: four files that stay one, a context without surprises, and roles that run what the Procfile runs."""

from __future__ import annotations

import copy
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import image_rules
import pytest
import yaml

from dev.paths import ROOT, SERVICES, service_dir
from dev.procfile import Entry, entries

IMAGE = ROOT / "deploy" / "image"


def rules() -> list[str]:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def sent(name: str) -> bool:
    """Whether a build gets the file, as Docker decides: the last rule that fits it or a folder above it."""
    found = True
    for rule in rules():
        pattern = re.escape(rule.removeprefix("!")).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
        if re.fullmatch(rf"{pattern}(/.*)?", name):
            found = rule.startswith("!")
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_the_dockerfiles_differ_in_the_name_of_the_service_alone(service: str) -> None:
    expected = (
        (service_dir("auth") / "Dockerfile").read_text().replace("ARG SERVICE=auth\n", f"ARG SERVICE={service}\n")
    )
    assert (service_dir(service) / "Dockerfile").read_text() == expected
    assert f"ARG SERVICE={service}\n" in expected


IN_THE_CONTEXT = [
    "billing_service/requirements.lock",
    "billing_service/manage.py",
    "billing_service/config/settings.py",
    "billing_service/billing/templates/billing/days.html",
    "libs/chassis/src/chassis/static/chassis/app.css",
    "schemas/tasks/task_created/2.avsc",
    "deploy/image/role",
]
OUT_OF_IT = [
    ".env",
    ".git/config",
    ".local/demo/secrets.json",
    ".venv/bin/python",
    "billing_service/.env",
    "billing_service/.coverage",
    "billing_service/Dockerfile",
    "billing_service/staticfiles/app.css",
    "billing_service/tests/test_ledger.py",
    "billing_service/billing/.env",
    "billing_service/billing/__pycache__/models.cpython-313.pyc",
    "deploy/compose/make_secrets.py",
    "dev/seed.py",
    "libs/chassis/src/tracker_chassis.egg-info/PKG-INFO",
    "libs/chassis/tests/conftest.py",
    "schemas/tasks/task_created/2.example.json",
    "key.pem",
]


def test_only_what_an_image_needs_is_sent_to_a_build() -> None:
    assert [name for name in (*IN_THE_CONTEXT, *OUT_OF_IT) if sent(name)] == IN_THE_CONTEXT


@pytest.mark.parametrize("service", SERVICES)
def test_every_folder_of_a_service_is_sent_to_its_build(service: str) -> None:
    folders = {path.parent.name for path in service_dir(service).glob("*/__init__.py")} - {"tests"}
    assert folders <= {rule.rsplit("/", 1)[1] for rule in rules() if rule.startswith(("!*_service/", f"!{service}_"))}


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    """Programs that print how they were called instead of running."""
    for name in ("gunicorn", "celery", "python"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho "{name} $* heartbeat=${{HEARTBEAT_FILE:-}} metrics=${{METRICS_PORT:-}}"\n')
        program.chmod(0o755)
    return tmp_path


def called(stage: Path, *words: str) -> str:
    environment = {"PATH": f"{stage}{os.pathsep}{IMAGE}{os.pathsep}{os.environ['PATH']}", "PORT": "4000"}
    return subprocess.run(["role", *words], env=environment, capture_output=True, check=True, text=True).stdout.strip()


# What only an image sets: it listens on all addresses, waits longer, and writes to /tmp alone.
OF_THE_IMAGE = {
    "--bind",
    "0.0.0.0:4000",
    "--graceful-timeout",
    "25",
    "--keep-alive",
    "75",
    "--worker-tmp-dir",
    "/tmp",
}
OF_THE_LOCAL_STACK = {"--bind", "127.0.0.1:4000", "--graceful-timeout", "5"}


def role_of(process: str) -> list[str]:
    what = process.split("-", 1)[1]
    return {"worker": ["scheduling-worker"]}.get(what, what.split("-", 1))


@pytest.mark.parametrize("entry", [pytest.param(entry, id=entry.name) for entry in entries()])
def test_a_role_runs_what_the_procfile_runs(stage: Path, entry: Entry) -> None:
    words = entry.words({"PORT": "4000"})
    program, *options = called(stage, *role_of(entry.name)).split(" heartbeat=")[0].split()
    local = {word for word in words[1:] if word not in OF_THE_LOCAL_STACK}
    assert program == words[0]
    assert set(options) - OF_THE_IMAGE == local


@pytest.mark.parametrize("role", [["relay"], ["consumer", "tasks"], ["worker"], ["scheduling-worker"], ["beat"]])
def test_roles_without_pages_show_their_heartbeat_and_metrics(stage: Path, role: list[str]) -> None:
    assert called(stage, *role).endswith("heartbeat=/tmp/heartbeat metrics=9100")


@pytest.mark.parametrize("role", ["migrate", "register-schemas", "provision-clients"])
def test_a_job_is_a_command_of_the_same_name(stage: Path, role: str) -> None:
    assert called(stage, role).startswith(f"python manage.py {role.replace('-', '_')}")


def test_a_role_that_does_not_exist_is_refused(stage: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        called(stage, "webb")
    assert refused.value.returncode == 64
    assert "no role webb" in refused.value.stderr


def healthy(*words: str, **environment: str) -> bool:
    settings = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run([IMAGE / "healthy", *words], env=settings, capture_output=True, check=False).returncode == 0


def test_a_heartbeat_is_healthy_while_it_is_fresh(tmp_path: Path) -> None:
    heartbeat = tmp_path / "heartbeat"
    assert not healthy("background", HEARTBEAT_FILE=str(heartbeat))
    heartbeat.touch()
    assert healthy("background", HEARTBEAT_FILE=str(heartbeat))
    os.utime(heartbeat, (time.time() - 31,) * 2)
    assert not healthy("background", HEARTBEAT_FILE=str(heartbeat))


class Ready(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing to say."""


@pytest.fixture
def pages() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Ready) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_pages_are_healthy_while_they_are_ready(pages: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert healthy("web", PORT=str(pages.server_port))
    monkeypatch.setattr(Ready, "status", 503)
    assert not healthy("web", PORT=str(pages.server_port))
    assert not healthy("web", PORT="1")


def linted(path: Path) -> str:
    command = [Path(sys.executable).with_name("hadolint"), "--no-color", path]
    return subprocess.run(command, capture_output=True, check=False, text=True).stdout


@pytest.mark.parametrize("service", SERVICES)
def test_hadolint_finds_nothing(service: str) -> None:
    assert linted(service_dir(service) / "Dockerfile") == ""


def test_hadolint_finds_what_a_careless_file_does(tmp_path: Path) -> None:
    careless = tmp_path / "Dockerfile"
    careless.write_text("FROM python\nRUN cd /app && pip install django\n")
    assert {"DL3006", "DL3013", "DL3042"} <= set(re.findall(r"DL\d+", linted(careless)))


@pytest.mark.parametrize(
    "script", ["deploy/image/role", "deploy/postgres/set-roles", "k8s/seed-demo", "k8s/overlays/minikube/make-secrets"]
)
def test_scripts_are_plain_sh(script: str) -> None:
    shell = shutil.which("dash") or "sh"
    assert subprocess.run([shell, "-n", ROOT / script], check=False).returncode == 0


# As `docker image inspect` tells it, without the rest.
BUILT: dict[str, Any] = {
    "Size": 281_000_000,
    "Config": {
        "User": "10001:10001",
        "Labels": {f"org.opencontainers.image.{name}": "said" for name in image_rules.LABELS},
    },
}
BROKEN: dict[str, Callable[[dict[str, Any]], object]] = {
    "it has 301 MB": lambda image: image.update(Size=300_600_000),
    "it runs as root": lambda image: image["Config"].update(User=""),
    "it runs as 10001": lambda image: image["Config"].update(User="10001"),  # its group would be root
    "it has no label revision": lambda image: image["Config"]["Labels"].popitem(),
    "it has no label title": lambda image: image["Config"]["Labels"].update({"org.opencontainers.image.title": ""}),
}


@pytest.mark.parametrize("problem", BROKEN)
def test_an_image_that_breaks_a_promise_is_found(problem: str) -> None:
    image = copy.deepcopy(BUILT)
    assert image_rules.problems(image, "") == []
    BROKEN[problem](image)
    assert image_rules.problems(image, "") == [problem]


def test_compilers_tests_and_secrets_in_an_image_are_found(tmp_path: Path) -> None:
    programs, app = tmp_path / "bin", tmp_path / "app"
    programs.mkdir()
    (programs / "find").symlink_to(shutil.which("find") or "")
    wrong = {app / "tests" / "ledger.py", app / "libs" / "conftest.py", app / "test_ledger.py", app / ".env"}
    for path in {*wrong, app / "manage.py"}:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (app / "empty" / "tests").mkdir(parents=True)  # Tilt makes them of what it leaves out

    def found() -> set[str]:
        command = ["/bin/sh", "-ec", image_rules.LOOK.replace("/app", str(app))]
        said = subprocess.run(command, env={"PATH": str(programs)}, check=True, capture_output=True, text=True).stdout
        return set(image_rules.problems(BUILT, said))

    assert found() == {f"there is {path} inside" for path in wrong}
    (programs / "gcc").symlink_to("find")
    assert f"there is {programs / 'gcc'} inside" in found()


def test_ci_looks_at_every_image_that_it_built() -> None:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
    built, looked = (step["run"] for step in jobs["images"]["steps"] if "run" in step)
    assert built == "docker compose build"
    assert looked == f"python3 tests/ops/image_rules.py task-tracker/{{{','.join(SERVICES)}}}:dev"
