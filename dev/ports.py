"""Ports: settings with defaults for the demo, free ones for test runs, and a sentence for a taken one."""

import os
import socket
import sys
from collections.abc import Iterable, Mapping

from dev.errors import Trouble

SERVER_PORTS = {
    "postgres": 15432,
    "kafka": 19092,
    "kafka_controller": 19093,
    "registry": 18081,
    "registry_management": 18082,
    "valkey": 16379,
    "smtp": 11025,
    "imap": 11143,
    "mail": 8025,
}
SERVICE_PORTS = {"auth": 3000, "tasks": 5000, "billing": 4000, "analytics": 7000}
DEFAULTS = {**SERVICE_PORTS, **SERVER_PORTS}
AIRPLAY_PORTS = (5000, 7000)


def setting(name: str) -> str:
    """The environment variable that sets the port of `name`."""
    return f"{name.upper()}_PORT"


def configured(names: Iterable[str], environ: Mapping[str, str] = os.environ) -> dict[str, int]:
    """The ports from the environment, or the defaults."""
    return {name: _number(name, environ.get(setting(name), "")) for name in names}


def _number(name: str, text: str) -> int:
    if not text:
        return DEFAULTS[name]
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise Trouble(f"{setting(name)}={text} is not a port. Set it to a number from 1 to 65535.")
    return int(text)


def free(names: Iterable[str]) -> dict[str, int]:
    """A free port of the loopback interface for each name; all are held until the last is chosen."""
    sockets = {name: socket.socket() for name in names}
    try:
        for held in sockets.values():
            held.bind(("127.0.0.1", 0))
        return {name: held.getsockname()[1] for name, held in sockets.items()}
    finally:
        for held in sockets.values():
            held.close()


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return not answers(port)


def answers(port: int) -> bool:
    """Whether somebody accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def require_free(ports: Mapping[str, int]) -> None:
    """Raise Trouble with the setting's name for the first port that is taken."""
    for name, port in ports.items():
        if not is_free(port):
            raise Trouble(taken(name, port))


def taken(name: str, port: int, platform: str = sys.platform) -> str:
    """What to say and to do about a taken port."""
    sentence = f"Port {port} ({name}) is taken by another program. Stop it, or choose another port: "
    sentence += f"make demo {setting(name)}={port + 10}"
    if platform == "darwin" and port in AIRPLAY_PORTS:
        sentence += ". On macOS this port belongs to AirPlay Receiver: System Settings > General > AirDrop & Handoff"
    return sentence + "."
