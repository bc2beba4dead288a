"""`python -m bench [names...]`: measure, print a table, and write `bench/results.json`."""

import argparse
import signal
import sys
from time import monotonic

from bench.cases import CASES
from bench.report import RESULTS, table, write
from bench.stage import stage
from dev.errors import Trouble


def main() -> int:
    """0 when all was measured, whether the aims were reached or not; 1 when something could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure throughput and latency.")
    parser.add_argument("names", nargs="*", choices=[*CASES, []], help=f"some of {', '.join(CASES)}; default: all")
    chosen = parser.parse_args().names or list(CASES)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        measure(chosen)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    return 0


def measure(chosen: list[str]) -> None:
    """Run benchmarks one after the other, on the same servers; each is written down once it is done."""
    print("Starting servers, migrating, registering schemas", flush=True)
    needed = {service for name in chosen for service in CASES[name].services}
    with stage(sorted(needed)) as here:
        for name in chosen:
            started = monotonic()
            print(f"{name} ", end="", flush=True)
            figures = CASES[name].run(here)
            write({name: figures})
            print(f"({monotonic() - started:.0f} s)\n{table(figures)}\n", flush=True)
    print(f"Written to {RESULTS.parent.name}/{RESULTS.name}")


if __name__ == "__main__":
    sys.exit(main())
