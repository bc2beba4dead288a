"""Texts: version 1 of TaskCreated, whose description holds title and Jira id (T1), and names."""

from __future__ import annotations

import re

_TITLE_MAX = 200
_JIRA_ID = r"[A-Za-z][A-Za-z0-9_]{0,39}-[0-9]{1,19}"
# The dash after the bracket is a separator only with a space behind it: "[A-1] -5 degrees" is about minus five.
_TAGGED = re.compile(rf"\[\s*(?P<jira_id>{_JIRA_ID})\s*\]\s*(?:[-\u2013\u2014](?:\s+|$))?(?P<title>.*)", re.DOTALL)
_NOT_IN_TITLES = re.compile(r"[\[\]\x00-\x1f\x7f-\x9f\u2028\u2029]")


def title_of(description: str) -> tuple[str, str | None]:
    """Title and Jira id that stand in a description of version 1; what does not fit is the title as it is (T1).

    The same rule as in tasks and analytics: all three are tested with `schemas/tasks/headings.json`.
    """
    text = description.strip()
    tagged = _TAGGED.fullmatch(text)
    title = tagged["title"].strip() if tagged else text
    if not title or len(title) > _TITLE_MAX or _NOT_IN_TITLES.search(title):
        return description, None
    return title, tagged["jira_id"].upper() if tagged else None


def short_name(name: str) -> str:
    """`Max Braun` as it stands on a statement: `M. Braun`; a name of one word stays."""
    first, _, rest = name.strip().partition(" ")
    return f"{first[0]}. {rest.strip()}" if rest.strip() else first
