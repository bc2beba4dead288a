"""`tilt up`: every workload has its place, waits for what it needs, and nothing but a local cluster is touched."""

from __future__ import annotations

import copy
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from k8s_objects import NAME, Object
from tilt import RefusedError, Tilt, documents, resources

from dev import ports
from dev.paths import ROOT, SERVICES

TILTFILE = (ROOT / "Tiltfile").read_text()
SERVER, MEMORY, CPU = "https://127.0.0.1:32771", "6012345Ki", "4"
KUBECTL = """#!/bin/sh
case "$*" in
  *--context=minikube*config*cluster.server*) printf %s "${SERVER}" ;;
  *--context=minikube*get*allocatable.memory*) printf %s "${MEMORY}" ;;
  *--context=minikube*get*allocatable.cpu*) printf %s "${CPU}" ;;
  *--context=minikube*delete*namespace*task-tracker*) echo deleted ;;
  *) echo "not expected: $*" >&2; exit 1 ;;
esac
"""


@pytest.fixture(scope="session")
def applied(rendered: Callable[[str], str]) -> str:
    """What kustomize makes of the Tiltfile's overlay."""
    return rendered("tilt")


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the secrets of all runs are: making them takes a second."""
    return tmp_path_factory.mktemp("secrets")


@pytest.fixture
def tilt(tmp_path: Path, secrets: Path, applied: str) -> Callable[..., Tilt]:
    """A machine with all that is wanted, on which a Tiltfile can be run."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "dirname", "openssl"):
        (programs / name).symlink_to(str(shutil.which(name)))
    (programs / "python3").symlink_to(sys.executable)
    for name, text in {"kubectl": KUBECTL, "docker": "#!/bin/sh\necho 26.1\n", "minikube": "#!/bin/sh\n"}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)

    def made(**changes: Any) -> Tilt:
        environment = {"SERVER": SERVER, "MEMORY": MEMORY, "CPU": CPU, "SECRETS_DIR": str(secrets)}
        environment |= changes.pop("environment", {})
        return Tilt(programs, lambda folder: applied, environment=environment, **changes)

    return made


def test_every_workload_has_a_label_and_waits_for_the_settings(tilt: Callable[..., Tilt], applied: str) -> None:
    kinds = {found["metadata"]["name"]: found["kind"] for found in documents(applied)}
    found = resources(tilt().run())
    settings = found.pop("settings")
    assert "task-tracker:Namespace" in settings["objects"]
    labels = {name: resource["labels"][0] for name, resource in found.items()}
    assert set(labels.values()) == {*SERVICES, "infrastructure", "jobs"}
    for name, resource in found.items():
        service = name.split("-")[0]
        assert "settings" in resource["resource_deps"]
        assert (labels[name] == "jobs") == (kinds[name] == "Job") == (resource["pod_readiness"] == "succeeded")
        if labels[name] in SERVICES:
            assert labels[name] == service
            assert {f"{service}-register-schemas", "valkey"} <= set(resource["resource_deps"])


def test_every_object_belongs_to_one_resource(tilt: Callable[..., Tilt], applied: str) -> None:
    placed = [name for resource in resources(tilt().run()).values() for name in resource.get("objects", [])]
    grouped = {"Deployment", "StatefulSet", "Job", "CronJob", "Service"}  # Tilt finds the place of these itself
    others = [found for found in documents(applied) if found["kind"] not in grouped]
    assert sorted(placed) == sorted(f"{found['metadata']['name']}:{found['kind']}" for found in others)
    assert "billing-web:HorizontalPodAutoscaler" in resources(tilt().run())["billing-web"]["objects"]


def order(found: dict[str, Any]) -> list[str]:
    """The resources, each after those it waits for; AssertionError where some wait for each other."""
    started: list[str] = []
    while len(started) < len(found):
        ready = [name for name in found if name not in started]
        ready = [name for name in ready if set(found[name].get("resource_deps", [])) <= set(started)]
        assert ready, f"these wait for each other: {set(found) - set(started)}"
        started += ready
    return started


@pytest.mark.parametrize("service", SERVICES)
def test_a_process_starts_after_database_roles_migrations_and_schemas(tilt: Callable[..., Tilt], service: str) -> None:
    started = order(resources(tilt().run()))
    names = ("db", "db-roles", "migrate", "register-schemas", "web")
    places = [started.index(f"{service}-{name}") for name in names]
    assert places == sorted(places)
    assert started.index("kafka") < started.index("registry") < started.index(f"{service}-register-schemas")
    assert started.index("auth-provision-clients") < started.index("auth-web")


def forwarded(found: dict[str, Any]) -> dict[str, tuple[str, int, int]]:
    return {
        name: (forward["host"], forward["local_port"], forward["container_port"])
        for name, resource in found.items()
        for forward in resource.get("port_forwards", [])
    }


def test_pages_and_mails_are_at_the_ports_of_the_other_ways_to_run_it(tilt: Callable[..., Tilt]) -> None:
    found = resources(tilt().run())
    wanted = {f"{name}-web": ("127.0.0.1", ports.DEFAULTS[name], 8000) for name in SERVICES}
    assert forwarded(found) == wanted | {"mail": ("127.0.0.1", 8025, 8025)}
    for name, (host, port, _) in forwarded(found).items():
        assert {link["url"].rsplit(f"{host}:{port}", 1)[0] for link in found[name]["links"]} == {"http://"}


def test_a_port_is_a_setting_and_addresses_follow(tilt: Callable[..., Tilt], secrets: Path) -> None:
    ran = tilt(environment={"AUTH_PORT": "3999", "TASKS_PORT": "5999"}).run()
    assert forwarded(resources(ran))["auth-web"] == ("127.0.0.1", 3999, 8000)
    (text,) = (call["yaml"] for call in ran.called("k8s_yaml"))
    settings = {}
    for found in documents(text):
        if found["kind"] == "ConfigMap" and found["metadata"]["name"].startswith("shared-settings"):
            settings = found["data"]
    assert settings["AUTH_PUBLIC_URL"] == "http://127.0.0.1:3999"
    assert settings["BILLING_PUBLIC_URL"] == "http://127.0.0.1:4000"
    assert "http://127.0.0.1:5999" in (secrets / "auth" / "OIDC_CLIENTS").read_text()


def test_images_are_built_as_compose_builds_them_and_updated_in_place(tilt: Callable[..., Tilt]) -> None:
    builds = {call["ref"]: call for call in tilt().run().called("docker_build")}
    assert set(builds) == {f"task-tracker/{service}" for service in SERVICES}
    for service in SERVICES:
        build = builds[f"task-tracker/{service}"]
        steps = {(step["of"], step.get("local_path")): step for step in build["live_update"]}
        assert build["dockerfile"] == f"{service}_service/Dockerfile"
        assert steps["sync", f"{service}_service"]["remote_path"] == f"/app/{service}_service"
        assert steps["sync", "libs"]["remote_path"] == "/app/libs"
        assert {f"{service}_service/requirements.lock", "deploy/image"} <= set(steps["fall_back_on", None]["files"])


def test_every_button_runs_a_command_in_the_cluster_that_was_checked(tilt: Callable[..., Tilt]) -> None:
    ran = tilt(environment={"MEMORY": "10Gi"}).run()
    found = resources(ran)
    buttons = {call["name"]: call for call in ran.called("v1alpha1.ui_button")}
    commands = {call["start_on"]["ui_buttons"][0]: call for call in ran.called("v1alpha1.cmd")}
    assert set(buttons) == set(commands) == {
        "seed-demo", "close-cycle", "create-admin", "ledger-check", "retry-dead-letters", "browser-tests",
    }  # fmt: skip
    for name, button in buttons.items():
        assert button["location"]["component_id"] in found
        assert re.search(r"(--context|TRACKER_K8S_CONTEXT)=minikube ", commands[name]["args"][-1])
    assert buttons["create-admin"]["inputs"][0]["name"] == "EMAIL"
    assert '"$EMAIL"' in commands["create-admin"]["args"][-1]


@pytest.mark.parametrize("name", ["docker", "kubectl", "minikube", "python3", "openssl"])
def test_a_missing_program_is_named_in_one_sentence(tilt: Callable[..., Tilt], name: str) -> None:
    assert name in (ROOT / "k8s" / "README.md").read_text().split("```sh")[0].lower()
    machine = tilt()
    (machine.programs / name).unlink()
    with pytest.raises(RefusedError, match=f"{name} is missing, and Tilt needs it here. Install it: https://"):
        machine.run()
    assert machine.called("k8s_yaml") == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"context": "production"}, "The current context is production, and this works on minikube alone"),
        ({"context": ""}, "The current context is none"),
        ({"environment": {"SERVER": "https://203.0.113.7:6443"}}, "neither on this machine nor in a private network"),
        ({"environment": {"SERVER": "https://172.32.0.1:6443"}}, "neither on this machine nor in a private network"),
        ({"environment": {"SERVER": "https://k8s.example.com"}}, "neither on this machine nor in a private network"),
        ({"environment": {"MEMORY": "4012345Ki"}}, "3918 MiB and 4.0 CPUs to pods, and 5632 and 2.0 are needed"),
        (
            {"environment": {"CPU": "1940m"}},
            "5871 MiB and 1.94 CPUs .*Make a larger one: .*minikube start --memory=6g --cpus=4",
        ),
        ({"environment": {"CPU": ""}}, "does not answer. Start it: minikube start"),
        ({"environment": {"MEMORY": ""}}, "does not answer. Start it: minikube start"),
    ],
)
def test_a_wrong_cluster_is_refused_before_anything_is_done(
    tilt: Callable[..., Tilt], changes: dict[str, Any], said: str
) -> None:
    machine = tilt(**changes)
    with pytest.raises(RefusedError, match=said):
        machine.run()
    assert machine.called("k8s_yaml") == machine.called("docker_build") == []
    assert not any("delete" in command or "make-secrets" in command for command in machine.commands)


def test_docker_that_does_not_answer_is_told(tilt: Callable[..., Tilt]) -> None:
    machine = tilt()
    (machine.programs / "docker").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(RefusedError, match="Docker is installed and does not answer"):
        machine.run()


@pytest.mark.parametrize("server", ["https://192.168.49.2:8443", "https://172.17.0.3:8443", "https://[::1]:6443"])
@pytest.mark.parametrize("memory", ["8Gi", "6000Mi", "1Gi 6Gi", "6291456000"])
def test_local_clusters_of_other_drivers_are_taken(tilt: Callable[..., Tilt], server: str, memory: str) -> None:
    assert tilt(environment={"SERVER": server, "MEMORY": memory}).run().called("k8s_yaml")


def test_another_context_has_to_be_named(tilt: Callable[..., Tilt]) -> None:
    machine = tilt(context="minikube", environment={"TRACKER_K8S_CONTEXT": "kind-tracker"})
    with pytest.raises(RefusedError, match="this works on kind-tracker alone"):
        machine.run()
    assert machine.called("allow_k8s_contexts") == [{"contexts": "kind-tracker"}]


def test_down_takes_the_namespace_along_and_up_does_not(tilt: Callable[..., Tilt]) -> None:
    assert any("delete namespace task-tracker" in command for command in tilt(command="down").run().commands)
    assert not any("delete" in command for command in tilt().run().commands)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("'migrate': ['db-roles']", "'migrate': ['db-role']", "waits for .*db-role"),
        ("'db-roles': ['db']", "'db-roles': ['register-schemas']", "wait for each other"),
        ("        labels=[label],", "        label=[label],", "no argument label"),
        ("'valkey': []", "'valky': []", "does not know what valkey is for"),
        ("new_name=SETTINGS,", "new_name=SETTINGS, workload='nothing',", "no workload nothing"),
    ],
)
def test_a_broken_tiltfile_is_noticed(tilt: Callable[..., Tilt], old: str, new: str, said: str) -> None:
    assert old in TILTFILE
    with pytest.raises((RefusedError, AssertionError), match=said):
        order(resources(tilt().run(TILTFILE.replace(old, new))))


def without_source(found: Any) -> Any:
    """The Deployment as if its processes ran from their image."""
    found = copy.deepcopy(found)
    pod = found["spec"]["template"]["spec"]
    for container in (*pod["containers"], *pod["initContainers"]):
        container["volumeMounts"] = [mount for mount in container["volumeMounts"] if mount["name"] != "source"]
        container.pop("command", None)
    pod["volumes"] = [volume for volume in pod["volumes"] if volume["name"] != "source"]
    return found


def test_tilt_applies_the_minikube_overlay_with_the_source_of_each_process_in_a_volume(
    minikube: list[Object], applied: str
) -> None:
    tilted = documents(applied)
    assert [found["metadata"] for found in tilted] == [found["metadata"] for found in minikube]
    for found, plain in zip(tilted, minikube, strict=True):
        if found["kind"] == "Deployment" and found["metadata"]["labels"][NAME] in SERVICES:
            (container,) = found["spec"]["template"]["spec"]["containers"]
            assert {"name": "source", "mountPath": "/app"} in container["volumeMounts"]
            assert without_source(found) == plain
        else:
            assert found == plain


@pytest.mark.parametrize(
    ("memory", "cpu", "said"),
    [
        ("6Gi", "4", "wants 9216 MiB and 3.8 CPUs, and this node has 6144 and 4.0"),
        ("24Gi", "2", "wants 9216 MiB and 3.8 CPUs, and this node has 24576 and 2.0"),
        ("10Gi", "4", "make e2e"),
    ],
)
def test_browser_tests_want_room_for_a_second_system(
    tilt: Callable[..., Tilt], memory: str, cpu: str, said: str
) -> None:
    ran = tilt(environment={"MEMORY": memory, "CPU": cpu}).run()
    commands = {call["name"]: call["args"][-1] for call in ran.called("v1alpha1.cmd")}
    assert said in commands["button-browser-tests"]
