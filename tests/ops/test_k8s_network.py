"""Who may talk to whom: each connection that is needed, and no other."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
from k8s_flows import FORBIDDEN, wrong
from k8s_objects import Object, found_in, of_kind

from dev.paths import SERVICES

OPEN = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]}
# Of the base, for servers that production has elsewhere.
IDLE = {"production": {"to-mail", *(f"{name}-{flow}" for name in SERVICES for flow in ("database", "to-database"))}}


@pytest.mark.parametrize("overlay", FORBIDDEN)
def test_each_needed_flow_is_allowed_and_no_other(overlays: dict[str, list[Object]], overlay: str) -> None:
    assert wrong(overlays[overlay], overlay) == []


def test_kafka_is_open_to_the_same_where_strimzi_makes_no_policies(overlays: dict[str, list[Object]]) -> None:
    alone = [found for found in overlays["production"] if found["kind"] != "Kafka"]
    assert wrong(alone, "production") == []


def test_a_listener_that_names_nobody_is_found(overlays: dict[str, list[Object]]) -> None:
    broken = copy.deepcopy(overlays["production"])
    of_kind(broken, "Kafka")[0]["spec"]["kafka"]["listeners"][0].pop("networkPolicyPeers")
    assert wrong(broken, "production") == ["stranger may connect to broker:9092"]


@pytest.mark.parametrize("overlay", FORBIDDEN)
def test_a_policy_that_is_missing_is_found(overlays: dict[str, list[Object]], overlay: str) -> None:
    found = overlays[overlay]
    names = {policy["metadata"]["name"] for policy in of_kind(found, "NetworkPolicy")} - IDLE.get(overlay, set())
    without = {
        name: [each for each in found if each["kind"] != "NetworkPolicy" or each["metadata"]["name"] != name]
        for name in names
    }
    assert [name for name in names if not wrong(without[name], overlay)] == []


def test_what_opens_the_network_is_found(minikube: list[Object]) -> None:
    everything = {"kind": "NetworkPolicy", "metadata": {"name": "open"}, "spec": OPEN}
    found = wrong([*minikube, everything], "minikube")
    assert found == ["{} may connect to {}:{}".format(*flow) for flow in FORBIDDEN["minikube"]]


def unlabelled(name: str, label: str) -> Callable[[list[Object]], object]:
    return lambda objects: found_in(objects, name).template["metadata"]["labels"].pop(f"app.kubernetes.io/{label}")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (unlabelled("tasks-consumer-accounts", "part-of"), "tasks-consumer-accounts does not reach tasks-db:5432"),
        (unlabelled("billing-consumer-tasks", "name"), "billing-consumer-tasks does not reach kafka:9092"),
        (unlabelled("auth-worker", "component"), "auth-worker does not reach mail:1025"),
        (unlabelled("kafka", "name"), "registry does not reach kafka:9092"),
    ],
)
def test_a_label_that_is_missing_is_found(
    overlays: dict[str, list[Object]], change: Callable[[list[Object]], object], problem: str
) -> None:
    broken = copy.deepcopy(overlays["minikube-demo"])
    change(broken)
    assert problem in wrong(broken, "minikube-demo")
