"""Who may talk to whom: each flow that is needed, and no other."""

from __future__ import annotations

from k8s_network import allowed
from k8s_objects import COMPONENT, NAME, Object

from dev.paths import SERVICES


def pod(service: str, component: str = "server") -> dict[str, str]:
    return {NAME: service, COMPONENT: component, "app.kubernetes.io/part-of": "task-tracker"}


FLOWS = [
    *((pod(name, role), pod(name, "db"), 5432) for name in SERVICES for role in ("web", "relay", "worker", "migrate")),
    *((pod(name, "relay"), pod("kafka"), 9092) for name in SERVICES),
    *((pod(name, "register-schemas"), pod("registry"), 8080) for name in SERVICES),
    *((pod(name, "web"), pod("valkey"), 6379) for name in SERVICES),
    *((pod(name, "worker"), pod("mail"), 1025) for name in SERVICES),
    (pod("billing", "web"), pod("auth", "web"), 8000),
    (pod("auth", "worker"), pod("billing", "web"), 8000),
    (pod("registry"), pod("kafka"), 9092),
    (pod("auth", "provision-clients"), pod("auth", "db"), 5432),
    (pod("billing", "ledger-check"), pod("billing", "db"), 5432),
    (pod("billing", "db-roles"), pod("billing", "db"), 5432),
]
NO_FLOWS = [
    (pod("tasks", "web"), pod("billing", "db"), 5432),
    (pod("analytics", "db"), pod("billing", "db"), 5432),
    (pod("billing", "db"), pod("kafka"), 9092),
    (pod("billing", "relay"), pod("mail"), 1025),
    (pod("billing", "web"), pod("mail"), 1025),
    (pod("billing", "migrate"), pod("kafka"), 9092),
    (pod("kafka"), pod("billing", "db"), 5432),
    (pod("registry"), pod("valkey"), 6379),
    (pod("billing", "web"), pod("billing", "relay"), 9100),
    ({}, pod("billing", "db"), 5432),
]


def test_each_needed_flow_is_allowed(minikube: list[Object]) -> None:
    assert [flow for flow in FLOWS if not allowed(minikube, *flow)] == []


def test_no_other_flow_is_allowed(minikube: list[Object]) -> None:
    assert [flow for flow in NO_FLOWS if allowed(minikube, *flow)] == []


def test_what_opens_the_network_is_found(minikube: list[Object]) -> None:
    opened = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]}
    everything = {"kind": "NetworkPolicy", "metadata": {"name": "open"}, "spec": opened}
    assert all(allowed([*minikube, everything], *flow) for flow in NO_FLOWS)
    by_default = {"default-deny", "names"}
    closed = [f for f in minikube if f["kind"] != "NetworkPolicy" or f["metadata"]["name"] not in by_default]
    assert allowed(closed, {}, pod("billing", "relay"), 9100)
    assert not allowed(minikube, {}, pod("billing", "relay"), 9100)
