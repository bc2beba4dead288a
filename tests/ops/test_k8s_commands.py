"""The commands of k8s/README.md, and what k8s/manage sends: held against the objects that they are for."""

from __future__ import annotations

import re
import runpy
import shlex

import pytest
from k8s_flows import place
from k8s_network import Place, allowed
from k8s_objects import OVERLAYS, Object, found_in, of_kind, selects, workloads

from dev.documents import lines
from dev.paths import ROOT

README = (ROOT / "k8s" / "README.md").read_text()


def section(title: str) -> str:
    """What stands under a heading of the README."""
    return re.split(r"^## ", README.split(f"\n## {title}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def typed(*words: str) -> list[list[str]]:
    """The commands about a lost database that begin with these words, as words."""
    found = [shlex.split(line) for line in lines(section("A database is lost"))]
    return [command for command in found if command[: len(words)] == [*words]]


def option(command: list[str], name: str) -> str:
    return next(word.split("=", 1)[1] for word in command if word.startswith(f"--{name}="))


def labels_of(command: list[str]) -> dict[str, str]:
    return dict(pair.split("=") for pair in option(command, "selector").split(","))


def test_a_lost_database_takes_the_scaling_of_its_consumers_away_and_of_no_others(
    overlays: dict[str, list[Object]],
) -> None:
    (command,) = typed("kubectl", "delete", "scaledobject")
    wanted = {"matchLabels": labels_of(command)}
    found = [found["metadata"] for found in of_kind(overlays["production"], "ScaledObject")]
    deleted = [data["name"] for data in found if selects(wanted, data.get("labels", {}))]
    consumers = [w.name for w in workloads(overlays["production"]) if w.stays and w.component.startswith("consumer-")]
    assert sorted(deleted) == sorted(name for name in consumers if name.startswith("billing-")) != []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_after_a_lost_database_each_deployment_has_its_own_number_of_pods(
    overlays: dict[str, list[Object]], overlay: str
) -> None:
    deployments = {found["metadata"]["name"]: found for found in of_kind(overlays[overlay], "Deployment")}
    said = {name: found["spec"]["replicas"] for name, found in deployments.items() if "replicas" in found["spec"]}
    before = dict.fromkeys(deployments, 1) | said
    now = dict(before)
    for command in typed("kubectl"):
        if command[1:3] == ["scale", "deployment"]:
            selector = {"matchLabels": labels_of(command)}
            chosen = [name for name, found in deployments.items() if selects(selector, found["metadata"]["labels"])]
            now |= dict.fromkeys(chosen, int(option(command, "replicas")))
        elif command[1:] == ["apply", "-k", "OVERLAY"]:
            now |= said
    assert now == before


def test_every_port_that_is_forwarded_is_one_of_a_container(overlays: dict[str, list[Object]]) -> None:
    there = {
        (f"{w.kind.lower()}/{w.name}", port["containerPort"])
        for objects in overlays.values()
        for w in workloads(objects)
        for container in w.pod["containers"]
        for port in container.get("ports", [])
    }
    forwarded = {(name, int(port)) for name, port in re.findall(r"port-forward (\S+) \d+:(\d+)", README)}
    assert {"deployment/grafana", "statefulset/prometheus"} < {name for name, _ in forwarded}
    assert forwarded - there == set()


def test_every_state_of_a_pod_that_waits_is_told(overlays: dict[str, list[Object]]) -> None:
    first = {len(w.pod.get("initContainers", [])) for objects in overlays.values() for w in workloads(objects)}
    states = {f"`Init:{done}/{count}`" for count in first for done in range(count)}
    assert {state for state in states if state not in section("When something is red")} == set()


def test_every_label_that_is_asked_for_is_on_a_pod(overlays: dict[str, list[Object]]) -> None:
    found = [w.labels for objects in overlays.values() for w in workloads(objects)]
    asked = {text.replace("SERVICE", "billing") for text in re.findall(r"(?:-l |--selector=)(app[^\s`]+)", README)}
    wanted = {text: {"matchLabels": dict(pair.split("=") for pair in text.split(","))} for text in asked}
    assert len(wanted) > 3
    assert [text for text in wanted if not any(selects(wanted[text], labels) for labels in found)] == []


# Tilt's pages run from a volume that their init container fills: a command, which has none, runs from the image.
@pytest.mark.parametrize(
    ("overlay", "same_as"), [("minikube", "minikube"), ("production", "production"), ("tilt", "minikube")]
)
def test_a_command_has_what_the_pages_have_but_is_no_page(
    overlays: dict[str, list[Object]], overlay: str, same_as: str
) -> None:
    pages = found_in(overlays[overlay], "billing-web")
    script = runpy.run_path(str(ROOT / "k8s" / "manage"))
    pod = script["pod_of"]({"spec": {"template": pages.template}}, "billing", ["ledger_check", "--complete"])
    (container,) = pod["spec"]["containers"]
    assert container["args"] == ["manage", "ledger_check", "--complete"]
    asked = {"startupProbe", "readinessProbe", "livenessProbe", "lifecycle", "ports"}
    spec_of_pages = found_in(overlays[same_as], "billing-web").template["spec"]
    of_pages = spec_of_pages["containers"][0]
    same = {key: value for key, value in of_pages.items() if key not in asked | {"name", "args"}}
    assert {key: container.get(key) for key in same} == same
    assert not (asked | {"command"}) & set(container)
    assert pod["spec"]["volumes"] == spec_of_pages["volumes"]
    # No Service, disruption budget or spread of the pages counts it.
    labels = pod["metadata"]["labels"]
    selectors = [found["spec"]["selector"] for found in of_kind(overlays[overlay], "Service")]
    assert not any(selects({"matchLabels": selector}, labels) for selector in selectors)
    kafka = place(overlays[overlay], "broker" if overlay == "production" else "kafka")
    assert allowed(overlays[overlay], Place(labels=labels), kafka, 9092)
