"""What every built image has to keep to; ends with 1 and says what breaks it. Wants Docker, and Python alone.

python3 tests/ops/image_rules.py task-tracker/auth:dev task-tracker/billing:dev
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

USER = "10001:10001"
BYTES = 300_000_000
LABELS = ("title", "description", "licenses", "version", "revision")
# In the image: compilers, and files that belong to tests or could be secrets. What packages bring along is theirs.
LOOK = r"""
for name in cc gcc g++ clang c99 tcc; do command -v $name || true; done
find /app -type f \( -path '*/tests/*' -o -name 'test_*' -o -name conftest.py \
  -o -name '.env*' -o -name '*.pem' -o -name '*.key' \)
"""


def problems(image: dict[str, Any], found: str) -> list[str]:
    """What breaks a rule, by what `docker image inspect` says and by what was found inside."""
    said = []
    if image["Size"] > BYTES:
        said.append(f"it has {image['Size'] / 1e6:.0f} MB")
    if image["Config"].get("User") != USER:
        said.append(f"it runs as {image['Config'].get('User') or 'root'}")
    labels = image["Config"].get("Labels") or {}
    said += [f"it has no label {name}" for name in LABELS if not labels.get(f"org.opencontainers.image.{name}")]
    return [*said, *(f"there is {line} inside" for line in found.split())]


def look_into(name: str) -> list[str]:
    (image,) = json.loads(_docker("image", "inspect", name))
    inside = _docker("run", "--rm", "--network=none", "--read-only", "--entrypoint=sh", name, "-ec", LOOK)
    return [f"{name}: {problem}" for problem in problems(image, inside)]


def _docker(*words: str) -> str:
    return subprocess.run(["docker", *words], check=True, text=True, stdout=subprocess.PIPE).stdout


if __name__ == "__main__":
    sys.exit("\n".join(problem for name in sys.argv[1:] for problem in look_into(name)) or 0)
