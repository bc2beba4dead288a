"""The people of the demo. Their passwords are generated; auth's `seed_demo` makes their accounts."""

import json
import os
import secrets as random
from pathlib import Path

from dev.secrets_file import Secrets

PEOPLE = (
    ("admin@popug.example", "Ada Adler", "admin"),
    ("manager@popug.example", "Max Braun", "manager"),
    ("finance@popug.example", "Fatima Finke", "finance"),
    ("worker@popug.example", "Wilma Weber", "worker"),
    ("otto@popug.example", "Otto Okafor", "worker"),
    ("lena@popug.example", "Lena Larsen", "worker"),
    ("pavel@popug.example", "Pavel Petrov", "worker"),
    ("ines@popug.example", "Inês Duarte", "worker"),
)


def password() -> str:
    """A password that a person can type: 48 random bits."""
    return random.token_hex(6)


def accounts(secrets: Secrets) -> list[dict[str, str]]:
    """E-mail, name, role and password of each."""
    return [
        {"email": email, "name": name, "role": role, "password": secrets.get(f"password_{email}", password)}
        for email, name, role in PEOPLE
    ]


def write_password_file(secrets: Secrets, path: Path) -> Path:
    """What auth's `seed_demo` reads: e-mail -> password, readable by its owner only."""
    passwords = {account["email"]: account["password"] for account in accounts(secrets)}
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(passwords, file)
    return path
