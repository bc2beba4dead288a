"""What makes two versions of an event unreadable for each other: FULL compatibility, stricter than Avro where we are.

Avro would let a type be promoted (int to long) one way; FULL asks for both ways, so that no type may change at all.
"""

from __future__ import annotations

from typing import Any

from schema_files import branches


def breaks(old: dict[str, Any], new: dict[str, Any], where: str = "") -> list[str]:
    """Reasons why a reader of one of the two record schemas cannot read the other; empty if it can, both ways."""
    here = where or str(new["name"])
    reasons = []
    if (old["name"], old.get("namespace")) != (new["name"], new.get("namespace")):
        reasons.append(f"{here}: the record's name changed")
    before = {field["name"]: field for field in old["fields"]}
    after = {field["name"]: field for field in new["fields"]}
    for name in sorted(before.keys() ^ after.keys()):
        if "default" not in (before.get(name) or after[name]):
            reasons.append(f"{here}.{name}: added or removed without a default")
    for name in sorted(before.keys() & after.keys()):
        reasons += _type_breaks(before[name]["type"], after[name]["type"], f"{here}.{name}")
    return reasons


def _type_breaks(old: Any, new: Any, where: str) -> list[str]:
    if _is_record(old) and _is_record(new):
        return breaks(old, new, where)
    if _shapes(old) != _shapes(new):
        return [f"{where}: its type changed"]
    return []


def _is_record(avro_type: Any) -> bool:
    return isinstance(avro_type, dict) and avro_type["type"] == "record"


def _shapes(avro_type: Any) -> set[str]:
    return {
        f"{branch['type']}/{branch.get('logicalType')}" if isinstance(branch, dict) else f"{branch}/None"
        for branch in branches(avro_type)
    }
