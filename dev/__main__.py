"""`python -m dev COMMAND`: what the Makefile calls."""

import argparse
import errno
import sys

from dev import download, warm
from dev.errors import Trouble


def main() -> int:
    """Run one command; trouble is told in a sentence, without a traceback."""
    parser = argparse.ArgumentParser(prog="python -m dev", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    warm_command = commands.add_parser("warm", help="servers that stay up between test runs")
    warm_command.add_argument("action", choices=["up", "down", "status"])
    warm_command.set_defaults(run=lambda args: {"up": warm.up, "down": warm.down, "status": warm.status}[args.action]())
    lock = commands.add_parser("lock-servers", help="write dev/servers.lock.json anew")
    lock.set_defaults(run=lambda _: download.write_lock())
    arguments = parser.parse_args()
    try:
        return arguments.run(arguments) or 0
    except Trouble as trouble:
        print(f"\n{trouble}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print("\nThe disk is full. Make room, then run the same command again.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
