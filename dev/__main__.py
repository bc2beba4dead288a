"""`python -m dev COMMAND`: what the Makefile calls."""

import argparse
import errno
import sys
from collections.abc import Callable

from dev import console, demo, download, lock, test, warm
from dev.errors import Trouble
from dev.seed import HISTORY_DAYS

Command = Callable[[argparse.Namespace], int | None]
WARM_ACTIONS = {"up": warm.up, "down": warm.down, "status": warm.status}
PLAIN: dict[str, tuple[str, Command]] = {
    "lint": ("ruff, import-linter and mypy", lambda _: test.lint_alone()),
    "clean": ("forget the demo", lambda _: console.clean()),
    "memory": ("memory of the running demo", lambda _: console.memory()),
    "lock-servers": ("write dev/servers.lock.json", lambda _: download.write_lock()),
}
OF_A_SERVICE: dict[str, tuple[str, Callable[[str], int]]] = {
    "shell": ("a Python shell in a service", console.shell),
    "psql": ("a service's database prompt", console.psql),
    "logs": ("follow logs", console.logs),
    "migrations": ("write migrations", console.migrations),
}


def main() -> int:
    """Run one command; trouble is told in a sentence, without a traceback."""
    arguments = parser().parse_args()
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


def parser() -> argparse.ArgumentParser:
    """All commands."""
    found = argparse.ArgumentParser(prog="python -m dev", description=__doc__)
    commands = found.add_subparsers(required=True, metavar="COMMAND")
    for name, (text, run) in PLAIN.items():
        commands.add_parser(name, help=text).set_defaults(run=run)
    for name, (text, act) in OF_A_SERVICE.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("service", nargs="?", default="")
        command.set_defaults(run=lambda arguments, act=act: act(arguments.service))
    _add_larger(commands)
    return found


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days: 1 or more are needed")
    return int(text)


def _add_larger(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    product = commands.add_parser("demo", help="run the whole product until Ctrl-C")
    product.add_argument("--days", type=_positive, default=HISTORY_DAYS, help="business days of history of a new demo")
    product.set_defaults(run=lambda arguments: demo.run(arguments.days))
    for name, act in (("stop", console.stop), ("start", console.start)):
        command = commands.add_parser(name, help=f"{name} a server of the running demo")
        command.add_argument("server", nargs="?", default="")
        command.set_defaults(run=lambda arguments, act=act: act(arguments.server))
    servers = commands.add_parser("warm", help="servers that stay up between test runs")
    servers.add_argument("action", choices=list(WARM_ACTIONS))
    servers.set_defaults(run=lambda arguments: WARM_ACTIONS[arguments.action]())
    locks = commands.add_parser("lock", help="write the lock files")
    locks.add_argument("--upgrade", action="store_true", help="take the newest versions")
    locks.set_defaults(run=lambda arguments: lock.write(upgrade=arguments.upgrade))
    tests = commands.add_parser("test", help="run all tests, or those of one suite")
    tests.add_argument("--suite", default="", help="a service, a library, schemas, dev or e2e")
    tests.add_argument("-k", dest="keyword", default="", help="only tests whose name matches")
    tests.set_defaults(run=lambda arguments: test.run(arguments.suite, arguments.keyword))
    command = commands.add_parser("manage", help="a management command in a service of the running demo")
    command.add_argument("service")
    command.add_argument("arguments", nargs=argparse.REMAINDER)
    command.set_defaults(run=lambda arguments: console.manage(arguments.service, arguments.arguments))


if __name__ == "__main__":
    sys.exit(main())
