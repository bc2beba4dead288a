"""`python -m bench.inside MODULE ARGUMENTS ANSWER`: run one measurement and write down what it found."""

import json
import sys
from importlib import import_module
from pathlib import Path

import django


def main() -> None:
    """Django first: the modules import models."""
    module, arguments, answer = sys.argv[1:]
    django.setup()
    found = import_module(f"bench.inside.{module}").measure(**json.loads(arguments))
    Path(answer).write_text(json.dumps(found))


main()
