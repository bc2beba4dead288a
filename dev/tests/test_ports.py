"""Ports come from settings; a taken one is told with the setting's name."""

import socket

import pytest

from dev import ports
from dev.errors import Trouble


def test_defaults_are_those_of_the_requirements() -> None:
    expected = {"auth": 3000, "tasks": 5000, "billing": 4000, "analytics": 7000, "mail": 8025}
    assert ports.configured(expected, {}) == expected


def test_a_setting_replaces_a_default() -> None:
    assert ports.configured(["auth"], {"AUTH_PORT": "3131"}) == {"auth": 3131}


@pytest.mark.parametrize("text", ["x", "0", "65536", "-1"])
def test_a_setting_that_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(Trouble, match=f"AUTH_PORT={text} is not a port"):
        ports.configured(["auth"], {"AUTH_PORT": text})


def test_a_taken_port_names_its_setting() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        number = other.getsockname()[1]
        with pytest.raises(Trouble, match=rf"Port {number} \(tasks\) is taken.*TASKS_PORT="):
            ports.require_free({"tasks": number})


def test_airplay_is_blamed_on_macos_only() -> None:
    assert "AirPlay Receiver" in ports.taken("tasks", 5000, "darwin")
    assert "AirPlay" not in ports.taken("tasks", 5000, "linux")
    assert "AirPlay" not in ports.taken("auth", 3000, "darwin")


def test_free_ports_differ_and_are_free() -> None:
    found = ports.free(["a", "b", "c"])
    assert len(set(found.values())) == 3
    ports.require_free(found)
