"""Texts: version 1 of TaskCreated, whose description holds title and Jira id (T1), and names."""

from __future__ import annotations

import re

_JIRA = re.compile(r"\s*\[([A-Za-z][A-Za-z0-9]*-[0-9]+)\]\s*(?:-\s*)?(.*)", re.DOTALL)


def title_of(description: str) -> tuple[str, str | None]:
    """Title and Jira id that stand in a description of version 1; what does not fit is the title as it is (T1)."""
    match = _JIRA.fullmatch(description)
    if match:
        title = match[2].strip()
        if 1 <= len(title) <= 200 and not set(title) & set("[]\r\n"):
            return title, match[1].upper()
    return description, None


def short_name(name: str) -> str:
    """`Max Braun` as it stands on a statement: `M. Braun`; a name of one word stays."""
    first, _, rest = name.strip().partition(" ")
    return f"{first[0]}. {rest.strip()}" if rest.strip() else first
