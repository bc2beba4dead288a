"""The overlays of k8s/, each rendered once for all tests."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from k8s_objects import OVERLAYS, Object, copy_of_manifests, parsed, text_of


@pytest.fixture(scope="session")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_manifests(tmp_path_factory.mktemp("manifests"))


@pytest.fixture(scope="session")
def rendered(manifests: Path) -> Callable[[str], str]:
    """What kustomize makes of an overlay."""
    return cache(lambda name: text_of(manifests / "overlays" / name))


@pytest.fixture(scope="session")
def overlays(rendered: Callable[[str], str]) -> dict[str, list[Object]]:
    return {name: parsed(rendered(name)) for name in OVERLAYS}


@pytest.fixture
def minikube(overlays: dict[str, list[Object]]) -> list[Object]:
    return copy.deepcopy(overlays["minikube"])
