"""The component that turns traces on: every program of ours is told of the collector, and reaches it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from k8s_flows import place, wrong
from k8s_network import Place, allowed
from k8s_objects import Object, of_kind, parsed, text_of, workloads
from k8s_rules import problems
from k8s_schemas import VERSIONS, invalid

OVERLAY = """
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: task-tracker
resources: [../{}]
components: [../../components/tracing]
"""


@pytest.fixture(scope="module", params=["minikube", "production"])
def traced(request: pytest.FixtureRequest, manifests: Path) -> tuple[str, list[Object]]:
    folder = manifests / "overlays" / f"traced-{request.param}"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text(OVERLAY.format(request.param))
    return request.param, parsed(text_of(folder))


def settings_of(objects: list[Object], container: Object) -> dict[str, str]:
    """What a container gets by the ConfigMaps that it names."""
    maps = {found["metadata"]["name"]: found["data"] for found in of_kind(objects, "ConfigMap")}
    found: dict[str, str] = {}
    for source in container["envFrom"]:
        found |= maps[source["configMapRef"]["name"]]
    return found


def test_every_program_is_told_of_the_collector_and_reaches_it(traced: tuple[str, list[Object]]) -> None:
    _, objects = traced
    ours = [workload for workload in workloads(objects) if workload.service]
    assert len(ours) > 20
    for workload in ours:
        settings = settings_of(objects, workload.pod["containers"][0])
        assert settings["OTEL_TRACES_SAMPLER"] == "parentbased_traceidratio"
        assert 0 < float(settings["OTEL_TRACES_SAMPLER_ARG"]) < 1
        address = urlsplit(settings["OTEL_EXPORTER_OTLP_ENDPOINT"])
        _, namespace, _ = str(address.hostname).split(".")
        assert allowed(objects, place(objects, workload.name), Place(namespace), int(address.port or 0)), workload.name


def test_nothing_else_changes(traced: tuple[str, list[Object]], overlays: dict[str, list[Object]]) -> None:
    overlay, objects = traced
    assert problems(objects) == wrong(objects, overlay) == []
    (policy,) = (found for found in of_kind(objects, "NetworkPolicy") if found["metadata"]["name"] == "to-collector")
    assert [invalid(policy, version) for version in VERSIONS] == ["", ""]
    servers = [w.name for w in workloads(objects) if not w.service]
    reach = [name for name in servers if allowed(objects, place(objects, name), Place("observability"), 4318)]
    assert reach == []
    assert not allowed(overlays[overlay], place(objects, "billing-web"), Place("observability"), 4318)
    assert len(objects) == len(overlays[overlay]) + 1
    for now, before in zip(workloads(objects), workloads(overlays[overlay]), strict=True):
        if now.service:
            settings = settings_of(objects, now.pod["containers"][0])
            others = {name: value for name, value in settings.items() if not name.startswith("OTEL_")}
            assert others == settings_of(overlays[overlay], before.pod["containers"][0])
