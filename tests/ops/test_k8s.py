"""k8s/: what the overlays make is what Kubernetes takes, keeps to the rules, and runs what the local stack runs."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from k8s_objects import COMPONENT, NAME, OVERLAYS, Object, found_in, of_kind, text_of, workloads
from k8s_rules import problems
from k8s_schemas import VERSIONS, invalid
from k8s_size import too_large_for_a_laptop
from k8s_work import grown_by_lag

from dev.paths import SERVICES
from dev.procfile import entries
from dev.servers.kafka import SETTINGS as KAFKA_SETTINGS


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_everything(overlays: dict[str, list[Object]], overlay: str, version: str) -> None:
    found = {f"{found['kind']} {found['metadata']['name']}": invalid(found, version) for found in overlays[overlay]}
    assert {name: problem for name, problem in found.items() if problem} == {}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_misspelt_field_is_found(overlays: dict[str, list[Object]], version: str) -> None:
    for overlay, kind in (("minikube", "Deployment"), ("production", "Cluster"), ("production", "HTTPRoute")):
        found = copy.deepcopy(of_kind(overlays[overlay], kind)[0])
        found["spec"]["replica"] = 2
        assert "replica" in invalid(found, version)


def test_a_kind_that_nobody_knows_is_found() -> None:
    assert invalid({"apiVersion": "v1", "kind": "Pot", "metadata": {"name": "x"}}, VERSIONS[0])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_everything_keeps_to_the_rules(overlays: dict[str, list[Object]], overlay: str) -> None:
    assert problems(overlays[overlay]) == []


def test_it_fits_on_a_laptop(minikube: list[Object]) -> None:
    assert too_large_for_a_laptop(minikube) == []
    pod_of(minikube, "billing-web")["containers"][0]["resources"]["requests"]["memory"] = "2Gi"
    assert too_large_for_a_laptop(minikube)


def pod_of(objects: list[Object], name: str) -> Any:
    """The pod of a workload, to change it in place."""
    return found_in(objects, name).template["spec"]


Change = Callable[[list[Object]], object]


def web(key: str, value: Any) -> Change:
    """Change what the pod of billing's pages says."""
    return lambda objects: pod_of(objects, "billing-web").update({key: value})


def container(key: str, value: Any, *, of: str = "billing-web") -> Change:
    return lambda objects: pod_of(objects, of)["containers"][0].update({key: value})


def locked(key: str, value: Any) -> Change:
    return lambda objects: pod_of(objects, "billing-web")["containers"][0]["securityContext"].update({key: value})


def one(kind: str, name: str, change: Callable[[Any], object]) -> Change:
    def changed(objects: list[Object]) -> None:
        change(next(found for found in of_kind(objects, kind) if found["metadata"]["name"] == name))

    return changed


def without(kind: str) -> Change:
    return lambda objects: objects.remove(of_kind(objects, kind)[0])


def secret(name: str, **changes: Any) -> Change:
    return web("volumes", [{"name": "secrets", "secret": {"secretName": name, "defaultMode": 0o440} | changes}])


def nightly(change: Callable[[Any], object]) -> Change:
    return one("CronJob", "billing-ledger-check", lambda found: change(found["spec"]))


SLEEP = {"preStop": {"sleep": {"seconds": 25}}}
BROKEN: dict[str, Change] = {
    "may run as root": web("securityContext", {"seccompProfile": {"type": "RuntimeDefault"}}),
    "any system call": web("securityContext", {"runAsNonRoot": True, "runAsUser": 10001}),
    "namespaces of the node": web("hostNetwork", True),
    "disk of the node": web("volumes", [{"name": "etc", "hostPath": {"path": "/etc"}}]),
    "can gain privileges": locked("allowPrivilegeEscalation", True),
    "can write to its root": locked("readOnlyRootFilesystem", False),
    "has capabilities": locked("capabilities", {"drop": ["ALL"], "add": ["NET_ADMIN"]}),
    "asks for no memory or CPU": container("resources", {"limits": {"memory": "64Mi"}}),
    "no limit of memory": container("resources", {"requests": {"memory": "64Mi", "cpu": "1"}}),
    "fill the disk": web("volumes", [{"name": "tmp", "emptyDir": {}}]),
    "has no livenessProbe": lambda objects: pod_of(objects, "kafka")["containers"][0].pop("livenessProbe"),
    "a busy node": container("livenessProbe", {"httpGet": {"path": "/livez", "port": "http"}}),
    "when many people are there": container("readinessProbe", {"timeoutSeconds": 3, "failureThreshold": 2}),
    "the wrong health": container("readinessProbe", {"httpGet": {"path": "/livez", "port": "http"}}),
    "billing-relay is asked for the wrong health": container("livenessProbe", {}, of="billing-relay"),
    "requests are still sent": container("lifecycle", {}),
    "killed before": container("lifecycle", SLEEP),
    "away while it is updated": one("Deployment", "tasks-relay", lambda found: found["spec"].pop("strategy")),
    "on one node": web("topologySpreadConstraints", []),
    "does not wait for migrations": web("initContainers", []),
    "auth may not know yet": web("initContainers", []),
    "a password of others": lambda objects: [found["data"].update(more="") for found in of_kind(objects, "Secret")],
    "a token for the API": web("automountServiceAccountToken", True),
    "the default account": web("serviceAccountName", "default"),
    "addresses of other services": web("enableServiceLinks", True),
    "whatever": container("image", "registry.example.com:5000/task-tracker/billing"),
    "task-tracker/billing:latest is today": container("image", "task-tracker/billing:latest"),
    "in its environment": container("env", [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}}]),
    "has secrets in its environment": container("envFrom", [{"secretRef": {"name": "billing"}}]),
    "sees the secrets tasks": secret("tasks"),
    "sees the secrets billing-owner": secret("billing-owner-abcdefghij"),
    "lets every user read": secret("billing", defaultMode=0o444),
    "in the way": one("Job", "tasks-migrate", lambda found: found["spec"].pop("ttlSecondsAfterFinished")),
    "gives up early": one("Job", "tasks-migrate", lambda found: found["spec"].update(backoffLimit=1)),
    "has 0 disruption budgets": without("PodDisruptionBudget"),
    "all of it at once": one(
        "PodDisruptionBudget", "tasks-web", lambda found: found["spec"].update(maxUnavailable="100%")
    ),
    "does not grow": without("HorizontalPodAutoscaler"),
    "reset to a fixed number": one("Deployment", "tasks-web", lambda found: found["spec"].update(replicas=2)),
    "does not enforce": one("Namespace", "task-tracker", lambda found: found["metadata"].pop("labels")),
    "in no namespace": one("Service", "kafka", lambda found: found["metadata"].update(namespace="default")),
    "which does not exist": without("ConfigMap"),
    "can change under its name": lambda objects: of_kind(objects, "Secret")[0].pop("immutable"),
    "leads nowhere": one("Service", "kafka", lambda found: found["spec"].update(selector={NAME: "kafka-2"})),
    "selects the pods of": one(
        "Deployment", "tasks-web", lambda found: found["spec"].update(selector={"matchLabels": {NAME: "tasks"}})
    ),
    "nobody checks the ledger": without("CronJob"),
    "not checked every night": nightly(lambda spec: spec.update(schedule="30 2 * * 1")),
    "the ledger is not checked": nightly(lambda spec: spec.update(suspend=True)),
    "clock of whatever machine": nightly(lambda spec: spec.pop("timeZone")),
    "does not say what it is": one(
        "StatefulSet", "kafka", lambda found: found["spec"]["template"]["metadata"]["labels"].pop(COMPONENT)
    ),
}


@pytest.mark.parametrize("problem", BROKEN)
def test_what_breaks_a_rule_is_found(minikube: list[Object], problem: str) -> None:
    BROKEN[problem](minikube)
    assert [text for text in problems(minikube) if problem in text]


def scaler(change: Callable[[Any], object]) -> Change:
    return one("ScaledObject", "billing-consumer-tasks", lambda found: change(found["spec"]))


def asked(**changes: str) -> Change:
    return scaler(lambda spec: spec["triggers"][0]["metadata"].update(changes))


UNSCALED: dict[str, Change] = {
    "-consumer-accounts has 0 scalers": without("ScaledObject"),
    "billing-consumer-tasks has 0 scalers": scaler(lambda spec: spec["scaleTargetRef"].update(name="billing-relay")),
    "billing-consumer-tasks scales no consumer": scaler(lambda spec: spec["scaleTargetRef"].update(name="tasks-web")),
    "analytics-consumer-facts has 2 scalers": scaler(
        lambda spec: spec["scaleTargetRef"].update(name="analytics-consumer-facts")
    ),
    "grows with what waits for billing.task": asked(consumerGroup="billing.task"),
    "at an address that KEDA's namespace does not know": asked(bootstrapServers="kafka-kafka-bootstrap:9092"),
    "is reset to a fixed number": one(
        "Deployment", "billing-consumer-tasks", lambda found: found["spec"].update(replicas=1)
    ),
}


def test_every_consumer_of_production_grows_with_what_waits_for_it(overlays: dict[str, list[Object]]) -> None:
    assert list(grown_by_lag(overlays["production"])) == []


@pytest.mark.parametrize("problem", UNSCALED)
def test_a_consumer_that_does_not_grow_is_found(overlays: dict[str, list[Object]], problem: str) -> None:
    production = copy.deepcopy(overlays["production"])
    UNSCALED[problem](production)
    assert [text for text in grown_by_lag(production) if problem in text]


def test_every_process_of_the_procfile_is_a_deployment_and_nothing_else_is(minikube: list[Object]) -> None:
    def role(process: str) -> list[str]:
        what = process.split("-", 1)[1]
        return ["scheduling-worker"] if what == "worker" else what.split("-", 1)

    wanted = {entry.name: role(entry.name) for entry in entries()}
    found = {w.name: w.pod["containers"][0]["args"] for w in workloads(minikube) if w.service and w.stays}
    assert found == wanted


def test_kafka_has_the_settings_of_the_local_stack(minikube: list[Object]) -> None:
    settings = next(f["data"] for f in of_kind(minikube, "ConfigMap") if f["metadata"]["name"].startswith("kafka-"))
    for name, value in KAFKA_SETTINGS.items():
        assert settings["KAFKA_" + name.replace(".", "_").upper()] == value


# Where the images declare a volume: a claim that is mounted above it stays empty, and its data goes with the pod.
KEPT = {"kafka": "/var/lib/kafka/data", "valkey": "/data"} | {f"{name}-db": "/var/lib/postgresql" for name in SERVICES}


def test_data_is_kept_where_the_image_has_its_volume(minikube: list[Object]) -> None:
    found = {}
    for workload in workloads(minikube):
        for claim in workload.object["spec"].get("volumeClaimTemplates", []):
            mounts = workload.pod["containers"][0]["volumeMounts"]
            name = claim["metadata"]["name"]
            found[workload.name] = next(mount["mountPath"] for mount in mounts if mount["name"] == name)
    assert found == KEPT
    settings = next(f["data"] for f in of_kind(minikube, "ConfigMap") if f["metadata"]["name"].startswith("kafka-"))
    assert settings["KAFKA_LOG_DIRS"] == KEPT["kafka"]


def test_kustomize_refuses_an_overlay_without_its_secrets(manifests: Path) -> None:
    secrets = manifests / "overlays" / "minikube" / "secrets"
    moved = secrets.rename(secrets.with_name("elsewhere"))
    try:
        with pytest.raises(subprocess.CalledProcessError):
            text_of(manifests / "overlays" / "minikube")
    finally:
        moved.rename(secrets)
