"""What has to go on by itself: the nightly check of the ledger, and consumers that grow with what waits for them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8s_objects import Object, Workload, of_kind, workloads

NIGHTLY = re.compile(r"[0-5]?\d (2[23]|[0-5]) \* \* \*")  # minute and hour, of every day


def checked_nightly(objects: list[Object]) -> Iterator[str]:
    checks = [w for w in workloads(objects) if w.service == "billing" and _args(w) == ["manage", "ledger_check"]]
    if [check.kind for check in checks] != ["CronJob"]:
        yield "nobody checks the ledger by the clock"
    for spec in (check.object["spec"] for check in checks if check.kind == "CronJob"):
        if not NIGHTLY.fullmatch(spec["schedule"]) or spec.get("suspend"):
            yield "the ledger is not checked every night"
        if not spec.get("timeZone"):
            yield "the ledger is checked by the clock of whatever machine"


def grown_by_lag(objects: list[Object]) -> Iterator[str]:
    """Of an overlay with KEDA: each consumer has one scaler, which asks about the group that it reads as."""
    scalers = of_kind(objects, "ScaledObject")
    consumers = {w.name: w for w in workloads(objects) if w.service and _args(w)[:1] == ["consumer"]}
    for scaler in scalers:
        if scaler["spec"]["scaleTargetRef"]["name"] not in consumers:
            yield f"{scaler['metadata']['name']} scales no consumer"
    for name, consumer in consumers.items():
        own = [scaler["spec"] for scaler in scalers if scaler["spec"]["scaleTargetRef"]["name"] == name]
        if len(own) != 1:
            yield f"{name} has {len(own)} scalers"
        if "replicas" in consumer.object["spec"]:
            yield f"{name} is reset to a fixed number by every apply"
        group = f"{consumer.service}.{_args(consumer)[1]}"
        for asked in (trigger["metadata"] for spec in own for trigger in spec["triggers"]):
            if asked["consumerGroup"] != group:
                yield f"{name} grows with what waits for {asked['consumerGroup']}"
            if not asked["bootstrapServers"].split(":")[0].endswith(".task-tracker.svc"):
                yield f"{name} is asked about at an address that KEDA's namespace does not know"


def _args(workload: Workload) -> list[str]:
    return list(workload.pod["containers"][0].get("args", []))
