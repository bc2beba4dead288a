"""Servers that stay up between test runs, so that the inner loop does not wait for them."""

from dev.paths import WARM
from dev.servers import Servers


def up() -> None:
    """Start the warm servers, or those of them that do not run."""
    servers = Servers(WARM, durable=False)
    servers.start()
    servers.postgres.drop_databases("test\\_%")
    print("The warm servers are up.")


def down() -> None:
    """Stop the warm servers and forget their data."""
    Servers(WARM).destroy()
    print("The warm servers are down, their data is forgotten.")


def status() -> None:
    """Show which servers run, and where."""
    for name, server in Servers(WARM).all.items():
        print(f"{name:10} {'up' if server.running else 'down':5} {server.ports}")
