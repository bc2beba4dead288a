"""What Mailpit caught, by its API: where the mail catcher is a container."""

import json
import urllib.request
from email.message import EmailMessage
from typing import Any

MOST = 10_000  # it gives fifty to who does not say how many


def messages(url: str) -> list[EmailMessage]:
    """All messages received, oldest first."""
    newest_first = _ask(url, f"messages?limit={MOST}")["messages"]
    return [_message(_ask(url, f"message/{brief['ID']}")) for brief in reversed(newest_first)]


def _ask(url: str, path: str) -> Any:
    with urllib.request.urlopen(f"{url}/api/v1/{path}", timeout=10) as response:
        return json.load(response)


def _message(found: dict[str, Any]) -> EmailMessage:
    mail = EmailMessage()
    mail["To"] = ", ".join(address["Address"] for address in found["To"])
    mail["Subject"] = found["Subject"]
    mail.set_content(found["Text"])
    return mail
