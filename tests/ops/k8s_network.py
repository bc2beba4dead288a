"""Who may talk to whom by the NetworkPolicies of an overlay: worked out here, for the lab's network enforces none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from k8s_objects import Object, of_kind, selects

OURS = "task-tracker"


@dataclass(frozen=True)
class Place:
    """Where a connection comes from or goes to: a pod of a namespace, or outside of the cluster where it has none."""

    namespace: str = OURS
    labels: Mapping[str, str] = field(default_factory=dict)


def allowed(objects: list[Object], source: Place, target: Place, port: int) -> bool:
    """Whether one may connect to the other: both sides have to let them, where a policy is for a side."""
    policies = [*of_kind(objects, "NetworkPolicy"), *_of_strimzi(objects)]
    return _lets(policies, "Egress", source, target, port) and _lets(policies, "Ingress", target, source, port)


def _of_strimzi(objects: list[Object]) -> Iterator[Object]:
    """What its operator makes for brokers: a listener is open to those whom it names, and to everybody if to nobody."""
    for kafka in of_kind(objects, "Kafka"):
        name = kafka["metadata"]["name"]
        brokers = {"matchLabels": {"strimzi.io/cluster": name, "strimzi.io/name": f"{name}-kafka"}}
        for listener in kafka["spec"]["kafka"]["listeners"]:
            flow = {"from": listener.get("networkPolicyPeers"), "ports": [{"port": listener["port"]}]}
            yield {"spec": {"podSelector": brokers, "policyTypes": ["Ingress"], "ingress": [flow]}}


def _lets(policies: list[Object], direction: str, own: Place, other: Place, port: int) -> bool:
    mine = [
        policy["spec"]
        for policy in policies
        if direction in policy["spec"]["policyTypes"] and selects(policy["spec"]["podSelector"], own.labels)
    ]
    if not mine or own.namespace != OURS:
        return True
    flows, peers = ("egress", "to") if direction == "Egress" else ("ingress", "from")
    return any(_fits(flow, peers, other, port) for spec in mine for flow in spec.get(flows) or [])


def _fits(flow: dict[str, Any], peers: str, other: Place, port: int) -> bool:
    ports = [found["port"] for found in flow.get("ports", [])]
    if ports and port not in ports:
        return False
    return not flow.get(peers) or any(_is(peer, other) for peer in flow[peers])


def _is(peer: dict[str, Any], other: Place) -> bool:
    if "namespaceSelector" in peer:
        there = {"kubernetes.io/metadata.name": other.namespace} if other.namespace else {}
        if not there or not selects(peer["namespaceSelector"], there):
            return False
    elif other.namespace != OURS:
        return False
    return selects(peer.get("podSelector", {}), other.labels)
