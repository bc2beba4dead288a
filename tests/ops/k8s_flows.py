"""The connections that an overlay needs, and some that nobody may make; of each: from, to, port.

A name is that of a workload, whose labels are those that its pods get, or one of OTHERS.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8s_network import OURS, Place, allowed
from k8s_objects import NAME, Object, Workload, found_in, workloads

from dev.paths import SERVICES

Flow = tuple[str, str, int]

# Pods that an operator labels, pods of other namespaces, and what is no pod at all.
OTHERS = {
    "broker": Place(OURS, {NAME: "kafka", "strimzi.io/cluster": "kafka", "strimzi.io/name": "kafka-kafka"}),
    "user-operator": Place(OURS, {NAME: "entity-operator", "strimzi.io/cluster": "kafka"}),
    **{f"{name}-cluster": Place(OURS, {"cnpg.io/cluster": f"{name}-db"}) for name in SERVICES},
    "names": Place("kube-system", {"k8s-app": "kube-dns"}),
    "gateway": Place("gateway-system", {"app": "gateway"}),
    "strimzi": Place("strimzi", {"name": "strimzi-cluster-operator"}),
    "keda": Place("keda", {"app": "keda-operator"}),
    "cloudnative-pg": Place("cnpg-system", {NAME: "cloudnative-pg"}),
    "kube-state-metrics": Place("kube-system", {NAME: "kube-state-metrics"}),
    "cert-manager": Place("cert-manager", {NAME: "cert-manager"}),
    "stranger": Place("default"),
    "without labels": Place(OURS),
    "outside": Place(""),
}
NEEDS: dict[str, tuple[str, ...]] = {
    "web": ("database", "jobs"),
    "relay": ("database", "events"),
    "consumer": ("database", "events", "schemas"),
    "worker": ("database", "jobs", "mail"),
    "migrate": ("database",),
    "register-schemas": ("database", "events", "schemas"),
    "provision-clients": ("database",),
    "ledger-check": ("database",),
    "db-roles": ("database",),
    "demo-accounts": ("database",),
    "demo-tasks": ("database",),
    "db": (),
}
LAPTOP = {
    "database": ("{}-db", 5432), "events": ("kafka", 9092), "schemas": ("registry", 8080),
    "jobs": ("valkey", 6379), "mail": ("mail", 1025),
}  # fmt: skip
PRODUCTION = LAPTOP | {"database": ("{}-cluster", 5432), "events": ("broker", 9092), "mail": ("outside", 587)}
RELYING = ("tasks", "billing", "analytics")
SIGNING_IN_AND_OUT = [
    *((f"{name}-web", "auth-web", 8000) for name in RELYING),
    *(("auth-worker", f"{name}-web", 8000) for name in RELYING),
]
FIGURES = [
    *(("prometheus", name, port) for name, port in (("alertmanager", 9093), ("outside", 443), ("outside", 6443))),
    ("grafana", "prometheus", 9090),
]
OF_PRODUCTION = [
    *(("gateway", f"{name}-web", 8000) for name in SERVICES),
    *((f"{name}-worker", "outside", 443) for name in SERVICES),
    *(("alertmanager", "outside", port) for port in (587, 443)),
    ("prometheus", "kube-state-metrics", 8080),
    ("prometheus", "cert-manager", 9402),
    *(("broker", "broker", port) for port in (9090, 9091)),
    *(("strimzi", "broker", port) for port in (9090, 9091, 8443)),
    ("user-operator", "broker", 9091),
    ("keda", "broker", 9092),
    *((name, "outside", 443) for name in ("broker", "user-operator")),
    *((f"{name}-cluster", f"{name}-cluster", 5432) for name in SERVICES),
    *((f"{name}-cluster", "outside", port) for name in SERVICES for port in (443, 6443)),
    *(("cloudnative-pg", f"{name}-cluster", 8000) for name in SERVICES),
]
NOBODYS = [
    ("billing-relay", "mail", 1025),
    ("billing-web", "mail", 1025),
    ("billing-migrate", "kafka", 9092),
    ("billing-ledger-check", "kafka", 9092),
    ("billing-web", "billing-relay", 9100),
    ("billing-consumer-tasks", "auth-web", 8000),
    ("registry", "valkey", 6379),
    ("registry", "outside", 443),
    ("without labels", "billing-relay", 9100),
    ("without labels", "registry", 8080),
    ("stranger", "billing-web", 8000),
    ("stranger", "billing-relay", 9100),
    ("billing-web", "stranger", 8000),
    ("billing-web", "outside", 443),
]
FORBIDDEN = {
    "minikube": [
        *NOBODYS,
        ("tasks-web", "billing-db", 5432),
        ("analytics-db", "billing-db", 5432),
        ("billing-db", "kafka", 9092),
        ("kafka", "billing-db", 5432),
        ("without labels", "billing-db", 5432),
        ("billing-worker", "outside", 587),
    ],
    "production": [
        *(flow for flow in NOBODYS if flow[1] not in {"kafka", "mail"}),
        ("tasks-web", "billing-cluster", 5432),
        ("analytics-cluster", "billing-cluster", 5432),
        ("broker", "billing-cluster", 5432),
        ("billing-migrate", "broker", 9092),
        ("gateway", "billing-relay", 9100),
        ("gateway", "grafana", 3000),
        ("prometheus", "names", 8080),
        ("grafana", "kube-state-metrics", 8080),
        ("stranger", "broker", 9091),
        ("stranger", "broker", 9092),
        ("keda", "billing-web", 8000),
        ("stranger", "billing-cluster", 5432),
        ("cloudnative-pg", "billing-web", 8000),
        ("strimzi", "billing-web", 8000),
        ("billing-web", "outside", 587),
    ],
}
FORBIDDEN["minikube-demo"] = [
    *FORBIDDEN["minikube"],
    ("tasks-web", "prometheus", 9090),
    ("grafana", "billing-db", 5432),
    ("prometheus", "billing-db", 5432),
    ("alertmanager", "billing-web", 8000),
    ("prometheus", "kube-state-metrics", 8080),
    ("stranger", "grafana", 3000),
]


def needed(objects: list[Object], overlay: str) -> list[Flow]:
    """Every connection that is made where the system works."""
    servers = PRODUCTION if overlay == "production" else LAPTOP
    found = [flow for workload in workloads(objects) for flow in _of_a_service(workload, servers)]
    found += [(workload.name, "names", 53) for workload in workloads(objects)]
    found += [*SIGNING_IN_AND_OUT, ("registry", *servers["events"])]
    if overlay != "minikube":
        found += [*FIGURES, *(("prometheus", *end) for workload in workloads(objects) for end in _metrics(workload))]
    if overlay == "minikube-demo":
        found.append(("alertmanager", "mail", 1025))
    return [*found, *OF_PRODUCTION] if overlay == "production" else found


def _of_a_service(workload: Workload, servers: dict[str, tuple[str, int]]) -> Iterator[Flow]:
    owner, _, role = workload.name.partition("-")
    if owner in SERVICES:
        role = "consumer" if role.startswith("consumer-") else role
        for need in NEEDS[role]:
            server, port = servers[need]
            yield workload.name, server.format(owner), port


def _metrics(workload: Workload) -> Iterator[tuple[str, int]]:
    if workload.service and workload.stays:
        yield workload.name, 8000 if workload.name.endswith("-web") else 9100


def place(objects: list[Object], name: str) -> Place:
    return OTHERS.get(name) or Place(OURS, found_in(objects, name).labels)


def wrong(objects: list[Object], overlay: str) -> list[str]:
    """In words: what is needed and not allowed, and what is allowed to nobody and possible."""
    makes = {True: "{} may connect to {}:{}", False: "{} does not reach {}:{}"}
    wanted = dict.fromkeys(needed(objects, overlay), True) | dict.fromkeys(FORBIDDEN[overlay], False)
    found = {flow: allowed(objects, place(objects, flow[0]), place(objects, flow[1]), flow[2]) for flow in wanted}
    return [makes[found[flow]].format(*flow) for flow in wanted if found[flow] != wanted[flow]]
