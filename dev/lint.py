"""The checks that need no servers: ruff, import-linter, and mypy where the rules and the money are."""

import os
import sys
import tomllib
from pathlib import Path

from dev.jobs import Job
from dev.paths import LIBRARIES, LOCAL, ROOT, SERVICES, service_dir

TYPED = ("domain", "services", "selectors")


def jobs() -> list[Job]:
    """One job per tool and project."""
    ruff = [_tool("ruff"), "check", "."], [_tool("ruff"), "format", "--check", "."]
    found = [Job("ruff", ROOT, [*ruff])]
    found.append(Job("layers of libs", ROOT, [[_tool("lint-imports"), "--no-cache"]]))
    for name in SERVICES:
        environment = {"PYTHONPATH": str(service_dir(name))}
        found.append(Job(f"layers of {name}", service_dir(name), [[_tool("lint-imports"), "--no-cache"]], environment))
    found += [_types(name, ROOT / "libs" / name, [ROOT / "libs" / name / "src" / name]) for name in LIBRARIES]
    found += [_types(name, service_dir(name), _typed(service_dir(name))) for name in SERVICES]
    own = [_tool("mypy"), "--config-file=dev/mypy.ini", f"--cache-dir={LOCAL}/mypy/dev", "dev"]
    return [*found, Job("types of dev", ROOT, [own])]


def _tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _typed(folder: Path) -> list[Path]:
    """The rules, use cases and reads of a service, each a file or a package."""
    return sorted(path for name in TYPED for path in (*folder.glob(f"*/{name}.py"), *folder.glob(f"*/{name}/")))


def _types(name: str, folder: Path, targets: list[Path]) -> Job:
    """mypy with the settings of the project's own tests, which Django's plugin reads."""
    options = tomllib.loads((folder / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    places = [str((folder / place).resolve()) for place in options.get("pythonpath", ["."])]
    sources = [str(ROOT / "libs" / library / "src") for library in LIBRARIES]
    environment = {
        "DJANGO_SETTINGS_MODULE": options["DJANGO_SETTINGS_MODULE"],
        "MYPYPATH": os.pathsep.join([*places, *sources]),
        "PYTHONPATH": os.pathsep.join(places),
        "DEMO": "true",
    }
    return Job(f"types of {name}", folder, [_mypy(name, [str(path) for path in targets])], environment)


def _mypy(name: str, targets: list[str]) -> list[str]:
    config = f"--config-file={ROOT / 'pyproject.toml'}"
    cache = f"--cache-dir={LOCAL / 'mypy' / name}"
    return [_tool("mypy"), config, cache, "--follow-imports=silent", "--explicit-package-bases", *targets]
