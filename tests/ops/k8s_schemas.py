"""Whether Kubernetes takes an object: the schemas of its releases, and small ones of our own for operators' kinds."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

# The strict ones are closed to unknown fields.
RELEASES = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
VERSIONS = ("1.34", "1.37")
# Of kinds that operators bring: the part of each that k8s/ uses, closed to all other fields.
OWN = Path(__file__).parent / "crds"


def invalid(found: dict[str, Any], version: str) -> str:
    """What is wrong with an object for this version of Kubernetes, or nothing; an unknown field is wrong."""
    checker = validator(found["apiVersion"], found["kind"], version)
    if checker is None:
        return f"{found['kind']} of {found['apiVersion']} is unknown"
    error = next(checker.iter_errors(found), None)
    return f"{error.json_path}: {error.message}" if error else ""


@cache
def validator(api: str, kind: str, version: str) -> Draft202012Validator | None:
    """None for a kind that there is no schema of."""
    if own := own_schemas().get(f"{api} {kind}"):
        return Draft202012Validator(own)
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api)  # networking.k8s.io/v1 is networking-v1 there
    path = RELEASES / f"v{version}.0-local-strict" / f"{kind.lower()}-{group}.json"
    return Draft202012Validator(json.loads(path.read_text()), registry=shared(version)) if path.exists() else None


@cache
def shared(version: str) -> Registry[Any]:
    """What the schemas of a release refer to."""
    definitions = json.loads((RELEASES / f"v{version}.0-local-strict" / "_definitions.json").read_text())
    return Resource.from_contents(definitions) @ Registry()


@cache
def own_schemas() -> dict[str, Any]:
    schemas = [json.loads(path.read_text()) for path in sorted(OWN.glob("*.json"))]
    return {schema["title"]: schema for schema in schemas}
