"""Reading the environment: what must be set in production, and what a demo may leave out."""

from pathlib import Path
from typing import Any, cast

import environ
from django.core.exceptions import ImproperlyConfigured

DEMO_TIME_ZONE = "Europe/Berlin"
_DEMO_VALUES = ("insecure", "django-insecure", "demo", "change", "secret", "password", "example")
_SECRET_LENGTH = 32


class Environment:
    """The process environment of one service; relaxed only where DEBUG or DEMO is set."""

    def __init__(self, base_dir: Path) -> None:
        env_file = base_dir / ".env"
        if env_file.is_file():
            environ.Env.read_env(str(env_file))
        # NAME_FILE names a file that holds the value: secrets of containers are mounted, not passed.
        self.env: Any = environ.FileAwareEnv()
        self.debug = bool(self.env.bool("DEBUG", default=False))
        self.demo = bool(self.env.bool("DEMO", default=False))
        self.relaxed = self.debug or self.demo

    def required(self, name: str, *, relaxed: str) -> str:
        """The variable's value; `relaxed` stands in for it under DEBUG or DEMO only."""
        value = self.text(name)
        if value:
            return value
        if self.relaxed:
            return relaxed
        raise ImproperlyConfigured(f"Set {name}: it has no default in production.")

    def secret(self, name: str) -> str:
        """A secret; production refuses a missing, short or demo value."""
        return self.checked_secret(name, self.required(name, relaxed=f"insecure-{name.lower()}-for-development-only"))

    def checked_secret(self, name: str, value: str) -> str:
        """The value, unless production must not run with it; for a secret that is a part of a variable."""
        if not self.relaxed and (len(value) < _SECRET_LENGTH or value.lower().startswith(_DEMO_VALUES)):
            raise ImproperlyConfigured(
                f"{name} is short or a demo value: generate one of at least {_SECRET_LENGTH} random characters."
            )
        return value

    def text(self, name: str, default: str = "") -> str:
        """The variable as text, without surrounding spaces."""
        return cast("str", self.env.str(name, default=default)).strip()

    def integer(self, name: str, default: int) -> int:
        """The variable as a whole number."""
        return cast("int", self.env.int(name, default=default))

    def words(self, name: str) -> list[str]:
        """The variable as a comma separated list."""
        return cast("list[str]", self.env.list(name, default=[]))

    def public_urls(self) -> dict[str, str]:
        """Addresses of the four services as browsers see them, without a trailing slash."""
        ports = {"auth": 3000, "tasks": 5000, "billing": 4000, "analytics": 7000}
        return {
            name: self.required(f"{name.upper()}_PUBLIC_URL", relaxed=f"http://127.0.0.1:{port}").rstrip("/")
            for name, port in ports.items()
        }
