import time
from typing import Any

from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password

SEPARATOR = ";"
LAST_SECRET_SECONDS = 3600  # for processes that were started before a rotation


class ClientSecretHasher(PBKDF2PasswordHasher):
    """For generated client secrets of 256 bits: nobody guesses those, so that no sign-in pays for a million rounds.

    Behind the hash may stand until when (Unix time) the last secret works too, and its hash.
    """

    algorithm = "client_secret"
    iterations = 1_000

    def verify(self, password: str, encoded: str) -> bool:
        current, *last = encoded.split(SEPARATOR)
        if super().verify(password, current):
            return True
        return bool(last) and time.time() < int(last[0]) and super().verify(password, last[1])

    def decode(self, encoded: str) -> dict[str, Any]:
        decoded: dict[str, Any] = super().decode(current_secret(encoded))
        return decoded


def current_secret(encoded: str) -> str:
    """The hash of the secret in force, without that of the last one."""
    return encoded.partition(SEPARATOR)[0]


def rotated_secret(secret: str, encoded: str, *, now: float) -> str:
    """The hash of a new secret, and of the one it replaces for an hour (`now` in Unix seconds)."""
    fresh = make_password(secret, hasher=ClientSecretHasher.algorithm)
    return SEPARATOR.join((fresh, str(int(now) + LAST_SECRET_SECONDS), current_secret(encoded)))
