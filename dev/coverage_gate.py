"""One coverage of all suites together, and the gate where the money is."""

import io
import json
import tempfile
from pathlib import Path

from coverage import Coverage
from coverage.exceptions import NoDataError

from dev.paths import ROOT

CONFIG = str(ROOT / "pyproject.toml")
PERCENT = 95.0
GATED = [
    f"{ROOT}/libs/*/src/*",
    *(f"{ROOT}/*_service/*/{name}{kind}" for name in ("domain", "services") for kind in (".py", "/*")),
]


def combine_and_check(scratch: Path) -> list[str]:
    """Print the coverage of everything; return what stays below the gate, in words."""
    together = Coverage(data_file=str(scratch / "together"), config_file=CONFIG)
    try:
        together.combine([str(path) for path in scratch.glob("coverage.*")])
    except NoDataError:
        return ["No suite wrote coverage."]
    text = io.StringIO()
    together.report(file=text, skip_covered=True, skip_empty=True, ignore_errors=True)
    print(text.getvalue(), flush=True)
    return _below(together)


def _below(together: Coverage) -> list[str]:
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        together.json_report(outfile=file.name, include=GATED, ignore_errors=True)
        totals = json.loads(Path(file.name).read_text())["totals"]
    shares = {
        "lines": 100 * totals["covered_lines"] / max(1, totals["num_statements"]),
        "branches": 100 * totals["covered_branches"] / max(1, totals["num_branches"]),
    }
    for name, share in shares.items():
        print(f"libs, domain and services: {share:.1f} % of {name}", flush=True)
    return [
        f"Only {share:.1f} % of the {name} of libs, domain and services are covered; {PERCENT:.0f} % are required."
        for name, share in shares.items()
        if share < PERCENT
    ]
