"""What all pods of an overlay ask for together."""

from __future__ import annotations

from k8s_objects import Object, Workload, cores, mebibytes, workloads

MOST_MEMORY, MOST_CORES = 4 * 1024, 2.0  # MiB and cores that a laptop has for it


def requested(objects: list[Object]) -> tuple[float, float]:
    """MiB and cores, while the jobs run."""
    asking = [workload for workload in workloads(objects) if workload.kind != "CronJob"]
    memory = sum(_of_pods(workload, "memory") for workload in asking)
    return memory, sum(_of_pods(workload, "cpu") for workload in asking)


def too_large_for_a_laptop(objects: list[Object]) -> list[str]:
    """In words, or nothing."""
    memory, cpu = requested(objects)
    if memory <= MOST_MEMORY and cpu <= MOST_CORES:
        return []
    return [f"all together ask for {memory:.0f} MiB and {cpu:.2f} cores"]


def _of_pods(workload: Workload, what: str) -> float:
    """As the scheduler reckons: all containers together, or the largest of those that start first."""
    pod = workload.pod
    first = [_asked(container, what) for container in pod.get("initContainers", [])]
    together = sum(_asked(container, what) for container in pod["containers"])
    return float(max(together, *first) if first else together) * int(workload.object["spec"].get("replicas", 1))


def _asked(container: Object, what: str) -> float:
    quantity = container["resources"]["requests"][what]
    return mebibytes(quantity) if what == "memory" else cores(quantity)
