"""Small tools around the running demo: shell, logs, database prompt, migrations, memory, clean."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import psutil

from dev.demo import DESCRIPTION
from dev.errors import Trouble
from dev.paths import DEMO, SERVICES, service_dir
from dev.servers import NAMES, Servers
from dev.servers.postgres_home import BINARIES
from dev.system import PORTS, System

NOT_RUNNING = "The demo is not running: start it in another terminal (make demo)."


def shell(service: str) -> int:
    """A Python shell with the service's models."""
    return manage(service, ["shell"])


def manage(service: str, arguments: list[str]) -> int:
    """Run a management command of a service of the demo at this terminal."""
    environment = {**os.environ, **_demo(service).environment(service)}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=service_dir(service), env=environment, check=False).returncode


def psql(service: str) -> int:
    """A database prompt, with the rights of the service's app role."""
    url = _demo(service).servers.postgres.url(service)
    return subprocess.run([str(BINARIES / "psql"), url], check=False).returncode


def migrations(service: str) -> int:
    """Write the migrations that changed models need, for one service or all and the libraries in them."""
    names = SERVICES if not service else (_known(service),)
    for name in names:
        environment = {**os.environ, "DEMO": "true"}
        command = [sys.executable, "manage.py", "makemigrations"]
        subprocess.run(command, cwd=service_dir(name), env=environment, check=True)
    return 0


def logs(service: str) -> int:
    """Follow the logs of a service's processes, of a server, or of everything."""
    folder = DEMO / "logs"
    files = sorted(str(path.relative_to(folder)) for path in folder.glob(f"{service}*.log"))
    if not files:
        raise Trouble(f"There is no log of {service or 'the demo'} in {folder}: start the demo first (make demo).")
    return subprocess.run(["tail", "-n", "20", "-F", *files], cwd=folder, check=False).returncode


def stop(server: str) -> int:
    """Take a server from the running demo, to see how it goes on without."""
    _demo_server(server).servers.stop(server)
    print(f"{server} is stopped. `make start p={server}` starts it again.")
    return 0


def start(server: str) -> int:
    """Give a server back to the running demo."""
    _demo_server(server).servers.start(server)
    print(f"{server} is up.")
    return 0


def clean() -> int:
    """Forget the demo; downloads and warm servers stay."""
    if not System.for_demo().lock():
        raise Trouble("The demo is running: end it first, with Ctrl-C in its terminal.")
    Servers(DEMO).destroy()
    DESCRIPTION.unlink(missing_ok=True)
    print("The demo's data is gone. The next `make demo` starts from nothing.")
    return 0


def memory() -> int:
    """Print the memory of all processes of the demo: PSS, so that shared pages count once."""
    sizes = {path.stem: _tree_size(path) for path in sorted((DEMO / "run").glob("*.pid"))}
    for name, size in sizes.items():
        print(f"{name:28} {size / 1024:8.0f} MiB")
    print(f"{'together':28} {sum(sizes.values()) / 1024:8.0f} MiB")
    return 0


def _tree_size(pid_file: Path) -> int:
    try:
        root = psutil.Process(int(pid_file.read_text().split()[0]))
        return sum(map(_pss, [root, *root.children(recursive=True)]))
    except (psutil.NoSuchProcess, ValueError):
        return 0


def _pss(process: psutil.Process) -> int:
    """KiB of one process; where the system does not tell, its unshared memory."""
    try:
        lines: Iterable[str] = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return int(process.memory_info().rss // 1024)


def _known(service: str) -> str:
    if service not in SERVICES:
        raise Trouble(f"Say which service: s= one of {', '.join(SERVICES)}.")
    return service


def _demo(service: str) -> System:
    _known(service)
    if (system := _started()) and system.servers.postgres.running:
        return system
    raise Trouble(NOT_RUNNING)


def _demo_server(name: str) -> System:
    """The demo, running or with some of its servers stopped."""
    if name not in NAMES:
        raise Trouble(f"Say which server: p= one of {', '.join(NAMES)}.")
    if (system := _started()) and any(server.running for server in system.servers.all.values()):
        return system
    raise Trouble(NOT_RUNNING)


def _started() -> System | None:
    return System.of(DEMO) if (DEMO / PORTS).exists() else None
