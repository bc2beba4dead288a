"""Where things are: the checkout, its local state, and the cache of downloads."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# A demo of its own beside another one in the same checkout has another folder and other ports.
LOCAL = Path(os.environ.get("TRACKER_LOCAL") or ROOT / ".local").expanduser().resolve()
DEMO = LOCAL / "demo"
WARM = LOCAL / "warm"
SERVICES = ("auth", "tasks", "billing", "analytics")
LIBRARIES = ("eventbus", "chassis")


def cache_dir() -> Path:
    """Downloads are shared by all checkouts: TRACKER_CACHE, or the user's cache directory."""
    if chosen := os.environ.get("TRACKER_CACHE"):
        return Path(chosen).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "task-tracker"


def service_dir(name: str) -> Path:
    """The folder of a service."""
    return ROOT / f"{name}_service"
