"""What everything in k8s/ has to keep to: each rule returns what breaks it, in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from k8s_objects import COMPONENT, Object, Workload, mebibytes, of_kind, selects, workloads
from k8s_work import checked_nightly

from dev.paths import ROOT

Findings = Iterator[str]

# It finds the pods that it asks through the API of Kubernetes.
MAY_HAVE_A_TOKEN = {"prometheus"}
# Its Kafka client takes the passwords of its key stores from settings only.
MAY_READ_PASSWORDS = {"registry"}
# Mails are in the memory of the mail catcher: two at a time would show a half each.
MAY_STOP_FIRST = {"mail"}
DRAIN_SECONDS = {"web": int(re.findall(r"--graceful-timeout (\d+)", (ROOT / "deploy/image/role").read_text())[0])}
# How long pages may be too busy to answer a probe before nobody is sent there, and before they are started again.
PATIENCE_SECONDS = {"readinessProbe": 30, "livenessProbe": 60}
BATCH_SECONDS = 30  # the longest statement of a batch or job


def restricted(workload: Workload) -> Findings:
    """As pod security `restricted` asks, and a bit more."""
    name, pod = workload.name, workload.pod
    context = pod.get("securityContext", {})
    if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
        yield f"{name} may run as root"
    if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield f"{name} may make any system call"
    if any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")):
        yield f"{name} lives in the namespaces of the node"
    if any("hostPath" in volume for volume in pod.get("volumes", [])):
        yield f"{name} sees the disk of the node"
    for container in workload.containers:
        own = container.get("securityContext", {})
        if own.get("allowPrivilegeEscalation") is not False or own.get("privileged"):
            yield f"{name} can gain privileges"
        if own.get("readOnlyRootFilesystem") is not True:
            yield f"{name} can write to its root file system"
        if own.get("capabilities") != {"drop": ["ALL"]}:
            yield f"{name} has capabilities"


def limited(workload: Workload) -> Findings:
    """A request of both and a limit of memory; CPU has none, so that what is idle can be used."""
    for container in workload.containers:
        resources = container.get("resources", {})
        request, limit = resources.get("requests", {}), resources.get("limits", {})
        if not request.get("memory") or not request.get("cpu"):
            yield f"{workload.name} asks for no memory or CPU"
        if mebibytes(limit.get("memory", "")) < max(1, mebibytes(request.get("memory", ""))):
            yield f"{workload.name} has no limit of memory"
    for volume in workload.pod.get("volumes", []):
        if "emptyDir" in volume and not (volume["emptyDir"] or {}).get("sizeLimit"):
            yield f"{workload.name} can fill the disk of the node"


def probed(workload: Workload) -> Findings:
    if not workload.stays:
        return
    for container in workload.pod["containers"]:
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            if probe not in container:
                yield f"{workload.name} has no {probe}"
            elif container[probe].get("timeoutSeconds", 1) < 3:
                yield f"{workload.name} is taken for ill on a busy node"
    if workload.service:
        yield from _own_probes(workload)


def _own_probes(workload: Workload) -> Findings:
    container = workload.pod["containers"][0]
    if workload.component == "web":
        wanted = {"startupProbe": "/readyz", "readinessProbe": "/readyz", "livenessProbe": "/livez"}
        found = {name: container.get(name, {}).get("httpGet", {}).get("path") for name in wanted}
        for name, least in PATIENCE_SECONDS.items():
            probe = container.get(name, {})
            if probe.get("timeoutSeconds", 1) * probe.get("failureThreshold", 3) < least:
                yield f"{workload.name} is taken for ill by its {name} when many people are there"
    else:
        wanted = dict.fromkeys(("startupProbe", "readinessProbe", "livenessProbe"), "healthy background")
        found = {name: " ".join(container.get(name, {}).get("exec", {}).get("command", [])) for name in wanted}
    if found != wanted:
        yield f"{workload.name} is asked for the wrong health"


def ends_in_time(workload: Workload) -> Findings:
    """The pod is not killed before it has finished what it was doing."""
    if not workload.service or not workload.stays:
        return
    before = [c.get("lifecycle", {}).get("preStop", {}).get("sleep", {}) for c in workload.pod["containers"]]
    if not all(before):
        yield f"{workload.name} is sent SIGTERM while requests are still sent to it"
    longest = max((found.get("seconds", 0) for found in before), default=0)
    drain = DRAIN_SECONDS.get(workload.component, BATCH_SECONDS)
    if workload.pod.get("terminationGracePeriodSeconds", 30) <= longest + drain:
        yield f"{workload.name} is killed before it has finished"


def rolls(workload: Workload) -> Findings:
    """A new pod is ready before an old one goes."""
    if workload.kind == "Deployment" and workload.name not in MAY_STOP_FIRST:
        strategy = workload.object["spec"].get("strategy", {})
        if strategy.get("rollingUpdate", {}).get("maxUnavailable") != 0:
            yield f"{workload.name} is away while it is updated"
    if workload.service and workload.stays:
        spread = workload.pod.get("topologySpreadConstraints", [])
        if not any(selects(found["labelSelector"], workload.labels) for found in spread):
            yield f"{workload.name} may have all replicas on one node"


def waits(workload: Workload) -> Findings:
    """Code starts when the tables and topics that it was written for are there."""
    if not workload.service or workload.kind == "CronJob":
        return
    first = [container.get("args", []) for container in workload.pod.get("initContainers", [])]
    needed = {"migrate": ["database"], "register-schemas": ["migrations", "registry"]}
    needed["provision-clients"] = ["migrations"]
    wanted = needed.get(workload.component, [] if "demo" in workload.component else ["migrations", "schemas"])
    if ["await", *wanted] not in first and wanted:
        yield f"{workload.name} does not wait for {' and '.join(wanted)}"
    if workload.component == "web" and workload.service != "auth" and ["await-client"] not in first:
        yield f"{workload.name} shows a secret that auth may not know yet"


def without_token(workload: Workload) -> Findings:
    pod = workload.pod
    if pod.get("automountServiceAccountToken") is not False and workload.labels.get(NAME_LABEL) not in MAY_HAVE_A_TOKEN:
        yield f"{workload.name} is given a token for the API"
    if pod.get("serviceAccountName", "default") == "default":
        yield f"{workload.name} runs as the default account"
    if pod.get("enableServiceLinks") is not False:
        yield f"{workload.name} gets addresses of other services among its settings"


NAME_LABEL = "app.kubernetes.io/name"


def of_a_version(workload: Workload) -> Findings:
    for container in workload.containers:
        image = container["image"]
        if not re.search(r":[\w.-]+(@sha256:[0-9a-f]{64})?$", image) or re.search(r":(latest|stable)$", image):
            yield f"{workload.name} runs whatever {image} is today"


def no_secret(workload: Workload) -> Findings:
    """Secrets are mounted files, and each pod has those of its own service."""
    for container in workload.containers:
        for variable in container.get("env", []):
            if "secretKeyRef" in variable.get("valueFrom", {}) and workload.name not in MAY_READ_PASSWORDS:
                yield f"{workload.name} has the secret {variable['name']} in its environment"
        if any("secretRef" in found for found in container.get("envFrom", [])):
            yield f"{workload.name} has secrets in its environment"
    owner = workload.labels.get(NAME_LABEL, "")
    allowed = {"migrate": f"{owner}-owner", "db": f"{owner}-db", "db-roles": f"{owner}-db-roles"}
    for volume in workload.pod.get("volumes", []):
        if "secret" in volume:
            name = re.sub(r"-[a-z0-9]{10}$", "", volume["secret"]["secretName"])
            if name not in {allowed.get(workload.component, owner), *EXTRA_SECRETS.get(workload.name, ())}:
                yield f"{workload.name} sees the secrets {name}"
            if volume["secret"].get("defaultMode", 0o644) & 0o007:
                yield f"{workload.name} lets every user read its secrets"


EXTRA_SECRETS = {"auth-demo-accounts": ("demo",), "grafana": ("grafana-admin",)}


def repeats(workload: Workload) -> Findings:
    """A Job cannot be changed, so it goes when it is done, and the next apply makes it anew."""
    if workload.kind == "Job":
        if not 0 < workload.object["spec"].get("ttlSecondsAfterFinished", 0) <= 3600:
            yield f"{workload.name} is in the way of the next release"
        if workload.object["spec"].get("backoffLimit", 6) < 5:
            yield f"{workload.name} gives up early"


def keeps_its_servers(objects: list[Object]) -> Findings:
    """A database is not started anew because a password of those who use it changed."""
    keys = {found["metadata"]["name"]: sorted(found["data"]) for found in of_kind(objects, "Secret")}
    for server in (found for found in workloads(objects) if found.component == "db"):
        mounted = [volume["secret"]["secretName"] for volume in server.pod["volumes"] if "secret" in volume]
        if any(keys[name] != ["superuser"] for name in mounted):
            yield f"{server.name} is started anew when a password of others changes"


OF_ONE: tuple[Callable[[Workload], Findings], ...] = (
    restricted, limited, probed, ends_in_time, rolls, waits, without_token, of_a_version, no_secret, repeats
)  # fmt: skip


def disrupted_one_by_one(objects: list[Object]) -> Findings:
    budgets = of_kind(objects, "PodDisruptionBudget")
    for workload in workloads(objects):
        if not workload.service or not workload.stays:
            continue
        found = [budget for budget in budgets if selects(budget["spec"].get("selector"), workload.labels)]
        if [budget["metadata"]["name"] for budget in found] != [workload.name]:
            yield f"{workload.name} has {len(found)} disruption budgets of its own"
        elif found[0]["spec"].get("maxUnavailable") != 1:
            yield f"{workload.name} cannot be moved from a node, or all of it at once"


def scaled(objects: list[Object]) -> Findings:
    targets = {scaler["spec"]["scaleTargetRef"]["name"] for scaler in of_kind(objects, "HorizontalPodAutoscaler")}
    for workload in workloads(objects):
        if workload.service and workload.component == "web":
            if workload.name not in targets:
                yield f"{workload.name} does not grow with its load"
            if "replicas" in workload.object["spec"]:
                yield f"{workload.name} is reset to a fixed number by every apply"


def in_one_namespace(objects: list[Object]) -> Findings:
    enforced = [
        found["metadata"]["name"]
        for found in of_kind(objects, "Namespace")
        if found["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce") == "restricted"
    ]
    if enforced != ["task-tracker"]:
        yield "the namespace does not enforce pod security"
    for found in objects:
        if (
            found["kind"] not in {"Namespace", "ClusterSecretStore"}
            and found["metadata"].get("namespace") not in enforced
        ):
            yield f"{found['kind']} {found['metadata']['name']} is in no namespace of ours"


def complete(objects: list[Object]) -> Findings:
    """Nothing that is named is missing, and a changed setting has another name, so that pods are replaced."""
    there = {(found["kind"], found["metadata"]["name"]) for found in objects}
    for found in of_kind(objects, "ExternalSecret"):
        there.add(("Secret", found["spec"]["target"].get("name", found["metadata"]["name"])))
    for workload in workloads(objects):
        for kind, name in _named(workload):
            if (kind, name) not in there:
                yield f"{workload.name} names {kind} {name}, which does not exist"
    for found in of_kind(objects, "ConfigMap", "Secret"):
        if found.get("immutable") is not True or not re.search(r"-[a-z0-9]{10}$", found["metadata"]["name"]):
            yield f"{found['kind']} {found['metadata']['name']} can change under its name"
    for service in of_kind(objects, "Service"):
        if not any(selects({"matchLabels": service["spec"].get("selector", {})}, w.labels) for w in workloads(objects)):
            yield f"Service {service['metadata']['name']} leads nowhere"


def _named(workload: Workload) -> Iterator[tuple[str, str]]:
    for container in workload.containers:
        for source in container.get("envFrom", []):
            if "configMapRef" in source:
                yield "ConfigMap", source["configMapRef"]["name"]
    for volume in workload.pod.get("volumes", []):
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"]
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"]
    yield "ServiceAccount", workload.pod.get("serviceAccountName", "default")


def apart(objects: list[Object]) -> Findings:
    """No two of them take each other's pods for their own."""
    staying = [workload for workload in workloads(objects) if workload.stays]
    for workload in staying:
        taken = [other.name for other in staying if selects(workload.object["spec"]["selector"], other.labels)]
        if taken != [workload.name]:
            yield f"{workload.name} selects the pods of {', '.join(taken)}"
        if not workload.labels.get(COMPONENT):
            yield f"{workload.name} does not say what it is"


OF_ALL: tuple[Callable[[list[Object]], Findings], ...] = (
    disrupted_one_by_one,
    scaled,
    in_one_namespace,
    complete,
    apart,
    keeps_its_servers,
    checked_nightly,
)


def problems(objects: list[Object]) -> list[str]:
    """Everything that breaks a rule."""
    found = [text for workload in workloads(objects) for rule in OF_ONE for text in rule(workload)]
    return sorted({*found, *(text for rule in OF_ALL for text in rule(objects))})
