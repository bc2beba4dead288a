"""Makes `.venv` and installs what `requirements.lock` pins, with nothing but Python's own library.

It runs on the Python that `make` found, so it must at least be readable by an old one, to say that it is too old.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "dev" / "requirements.lock"
STAMP = VENV / "installed.sha256"
EDITABLE = ("libs/eventbus", "libs/chassis", ".")
OLDEST = (3, 11)
BYTES_NEEDED = 3 * 1024**3


def main():
    """Make the environment, unless the last start made it from the same files."""
    if sys.version_info < OLDEST:
        found = f"{sys.version_info[0]}.{sys.version_info[1]} ({sys.executable})"
        fail(f"Python 3.11 or newer is needed, this is {found}. Install one, or name it: make demo PYTHON=python3.13")
    wanted = fingerprint()
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text() == wanted:
        return
    if shutil.disk_usage(str(ROOT)).free < BYTES_NEEDED:
        fail(f"Less than 3 GiB are free on the disk of {ROOT}. Make room, then run the same command again.")
    make_venv()
    install()
    STAMP.write_text(wanted)


def fingerprint():
    """A digest of all that decides what is installed."""
    digest = hashlib.sha256(repr((sys.version_info[:2], str(ROOT))).encode())
    for path in [LOCK, *(ROOT / folder / "pyproject.toml" for folder in EDITABLE)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def make_venv():
    """An empty environment, unless there is a working one of a good version."""
    check = [str(PYTHON), "-c", "import sys, pip; sys.exit(sys.version_info < (3, 11))"]
    if PYTHON.exists() and subprocess.run(check, capture_output=True, check=False).returncode == 0:
        return
    print("Making the virtual environment .venv", file=sys.stderr, flush=True)
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian ships it apart
        import venv  # noqa: PLC0415
    except ImportError:
        fail(
            "This Python cannot make virtual environments: its venv module is missing. "
            "On Debian and Ubuntu: apt-get install python3-venv. Then run the same command again."
        )
    try:
        venv.create(str(VENV), clear=True, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        shutil.rmtree(str(VENV), ignore_errors=True)
        fail(f"The virtual environment {VENV} could not be made: {error}")


def install():
    """Everything the lock pins, checked against its hashes; then the libraries of this checkout."""
    print("Installing the packages of dev/requirements.lock", file=sys.stderr, flush=True)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(locked("uv"))
        file.flush()
        run([str(PYTHON), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", file.name])
    uv = [str(VENV / "bin" / "uv"), "pip", "install", "--python", str(PYTHON)]
    run([*uv, "--require-hashes", "-r", str(LOCK)])
    editable = [part for folder in EDITABLE for part in ("-e", str(ROOT / folder))]
    run([*uv, "--quiet", "--no-deps", "--no-build-isolation", *editable])


def locked(package):
    """The entry of one package in the lock, hashes included."""
    found = re.search(rf"^{package}==.*?(?=^\S|\Z)", LOCK.read_text(), re.MULTILINE | re.DOTALL)
    if found is None:
        fail(f"dev/requirements.lock does not pin {package}. Run: make lock")
    return found.group()


def run(command):
    """Run an installer; its progress is shown, its failure is told in a sentence."""
    environment = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", UV_HTTP_TIMEOUT="120", UV_LINK_MODE="copy")
    if "PIP_INDEX_URL" in os.environ:
        environment.setdefault("UV_DEFAULT_INDEX", os.environ["PIP_INDEX_URL"])
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    said = []
    for line in process.stderr or ():
        said.append(line)
        sys.stderr.write(line)
    if process.wait() == 0:
        return
    text = "".join(said)
    if "No space left" in text or "os error 28" in text:
        fail("The disk is full. Make room, then run the same command again.")
    if "hash" in text.lower() and "mismatch" in text.lower():
        fail("A package is not the one that dev/requirements.lock pins; nothing of it was installed. Report it.")
    fail(
        "Installing the packages failed, see above. If the package index cannot be reached, check the connection "
        "(and HTTPS_PROXY or PIP_INDEX_URL, if you use them), then run the same command again."
    )


def fail(sentence):
    """Say what is wrong and what to do, and end."""
    sys.stderr.write("\n" + sentence + "\n")
    sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
