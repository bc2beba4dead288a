"""The commands that the documents tell somebody to type, for the tests that type them."""

import re
import subprocess
from functools import cache
from pathlib import Path

from dev.paths import ROOT

BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
IN_A_LINE = re.compile(r"`(python manage\.py [^`]+)`")


@cache
def tracked(*suffixes: str) -> list[Path]:
    """The checkout's own files, also those that are not committed yet."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(words, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [ROOT / name for name in listing.split("\0") if name.endswith(suffixes) and (ROOT / name).is_file()]


def blocks(text: str) -> list[str]:
    """Scripts as they stand in a text, one after the other."""
    return [str(block) for block in BLOCK.findall(text)]


def lines(text: str) -> list[str]:
    """Commands of all scripts without what is said about them; a line that goes on counts as one."""
    scripts = "".join(blocks(text)).replace("\\\n", " ")
    return [line for line in (part.split("#")[0].strip() for part in scripts.splitlines()) if line]


def management_commands(text: str) -> list[list[str]]:
    """Words after each `python manage.py`, in scripts and in sentences."""
    named = [*lines(text), *IN_A_LINE.findall(BLOCK.sub("", text))]
    found = [line.split()[2:] for line in named if line.startswith("python manage.py ")]
    return [list(words) for words in dict.fromkeys(map(tuple, found))]
