"""The overlays of k8s/, rendered once for all tests."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from k8s_objects import OVERLAYS, Object, copy_of_manifests, render


@pytest.fixture(scope="session")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_manifests(tmp_path_factory.mktemp("manifests"))


@pytest.fixture(scope="session")
def overlays(manifests: Path) -> dict[str, list[Object]]:
    return {name: render(manifests / "overlays" / name) for name in OVERLAYS}


@pytest.fixture
def minikube(overlays: dict[str, list[Object]]) -> list[Object]:
    return copy.deepcopy(overlays["minikube"])
