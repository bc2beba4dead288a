"""Who may talk to whom by the NetworkPolicies of an overlay: worked out here, for the lab's network enforces none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from k8s_objects import Object, of_kind, selects

Labels = Mapping[str, str]


def allowed(objects: list[Object], source: Labels, target: Labels, port: int) -> bool:
    """Whether pods with these labels may connect: both sides have to let them, where a policy is for a side."""
    policies = of_kind(objects, "NetworkPolicy")
    return _lets(policies, "Egress", source, target, port) and _lets(policies, "Ingress", target, source, port)


def _lets(policies: list[Object], direction: str, own: Labels, other: Labels, port: int) -> bool:
    mine = [
        policy["spec"]
        for policy in policies
        if direction in policy["spec"]["policyTypes"] and selects(policy["spec"]["podSelector"], own)
    ]
    if not mine:
        return True
    flows, peers = ("egress", "to") if direction == "Egress" else ("ingress", "from")
    return any(_fits(flow, peers, other, port) for spec in mine for flow in spec.get(flows) or [])


def _fits(flow: dict[str, Any], peers: str, other: Labels, port: int) -> bool:
    ports = [found["port"] for found in flow.get("ports", [])]
    # A peer in another namespace is none of our pods.
    ours = [found for found in flow.get(peers, [{}]) if "namespaceSelector" not in found and "ipBlock" not in found]
    return (not ports or port in ports) and any(selects(found.get("podSelector", {}), other) for found in ours)
