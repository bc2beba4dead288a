"""The secrets of one installation on Compose: made once, kept in a volume, never in the repository.

    docker compose run --rm secrets list              names of all secrets
    docker compose run --rm secrets rotate NAME       make one anew; `docker compose up -d` after `down` takes it up
    docker compose run --rm secrets show NAME         its value
    docker compose run --rm secrets people            e-mail and password of the demo's people
    docker compose run --rm secrets env SERVICE       settings for a service that runs from source beside `infra`

Without arguments it makes what is missing. Each folder holds the files of one kind of container, which mounts nothing
else; the settings of a service read them by NAME_FILE. Only Python and openssl are needed, so any Python image will do.
"""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

SERVICES = ("auth", "tasks", "billing", "analytics")
CLIENTS = ("tasks", "billing", "analytics")
ROLES = ("superuser", "owner", "app")
VALKEY_NUMBERS = {name: number for number, name in enumerate(SERVICES, start=1)}
DEMO_PEOPLE = ("admin", "manager", "finance", "worker", "otto", "lena", "pavel", "ines")
FOLDER = Path(os.environ.get("SECRETS_DIR", "/secrets"))
# Whoever runs the system by other means than Compose says how it is done there.
USAGE = os.environ.get("SECRETS_USAGE", str(__doc__))
TAKE_UP = os.environ.get("SECRETS_TAKE_UP", "docker compose down && docker compose up -d")

Values = dict[str, list[str]]  # newest first; only keys keep their past


def token() -> str:
    """A secret that is safe in an address."""
    return secrets.token_urlsafe(36)


def rsa_key() -> str:
    """A private key, PEM in one line with its line breaks written out."""
    command = ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.replace("\n", "\\n")


def price_key() -> str:
    """A key for drawing prices, under an id of its own."""
    return f"k{secrets.token_hex(4)}:{secrets.token_hex(32)}"


def password() -> str:
    """A password that a person can type."""
    return secrets.token_hex(6)


def known() -> dict[str, Callable[[], str]]:
    """Every secret and how it is made."""
    databases = {f"database-{name}-{role}": token for name in SERVICES for role in ROLES}
    people = {f"demo-{name}": password for name in DEMO_PEOPLE}
    return {
        **databases,
        **{f"django-{name}": token for name in SERVICES},
        **{f"client-{name}": token for name in CLIENTS},
        "signing-key": rsa_key,
        "price-key": price_key,
        "grafana-admin": password,
        **people,
    }


# They are drawn from, signatures of theirs are checked, or processes still use them, after they were replaced.
KEPT = ("signing-key", "price-key", *(f"database-{name}-app" for name in SERVICES))


class Store:
    """The values, in a file that containers of the services never see."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "kept" / "secrets.json"
        self.values: Values = json.loads(self.path.read_text()) if self.path.exists() else {}

    def __getitem__(self, name: str) -> str:
        return self.values[name][0]

    def complete(self) -> list[str]:
        """Make what is missing; returns its names."""
        missing = {name: make for name, make in known().items() if name not in self.values}
        self.values |= {name: [make()] for name, make in missing.items()}
        return list(missing)

    def rotate(self, name: str) -> None:
        """Make one anew; SystemExit for a name that cannot be."""
        if name not in known():
            raise SystemExit(f"There is no secret {name!r}. `list` names them all.")
        if name.endswith("-superuser"):
            raise SystemExit("The superuser sets roles right with its own password: change it with psql, not here.")
        past = self.values[name] if name in KEPT else []
        self.values[name] = [known()[name](), *past]

    def save(self) -> None:
        """The values first, then what follows from them."""
        write(self.path, json.dumps(self.values, indent=2), 0o600)
        for path, text in files(self).items():
            write(self.folder / path, text, 0o444)


def write(path: Path, text: str, mode: int) -> None:
    """Replace a file at once: a reader sees the old one or the new one, and who watches it only what is new."""
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
    fresh.replace(path)


def files(store: Store) -> dict[str, str]:
    """Folder/NAME -> content, for every container that needs a secret."""
    found: dict[str, str] = {}
    for name in SERVICES:
        found[f"{name}-db/superuser"] = store[f"database-{name}-superuser"]
        found |= {f"databases/{login}": password for login, password in logins(name, store).items()}
        own = service_files(name, store)
        found |= {f"{name}/{key}": value for key, value in own.items()}
        owner = own | {"DATABASE_URL": database_url(name, "owner", store)}
        found |= {f"{name}-owner/{key}": value for key, value in owner.items()}
    found["grafana/admin"] = store["grafana-admin"]
    people = {address(name): store[f"demo-{name}"] for name in DEMO_PEOPLE}
    found["demo/passwords.json"] = json.dumps(people)
    return found


def address(name: str) -> str:
    """The e-mail address of one of the demo's people."""
    return f"{name}@popug.example"


def service_files(name: str, store: Store) -> dict[str, str]:
    """The secrets of a service's processes, by the names of their settings."""
    found = {"SECRET_KEY": store[f"django-{name}"], "DATABASE_URL": database_url(name, "app", store)}
    if name in CLIENTS:
        found["OIDC_CLIENT_SECRET"] = store[f"client-{name}"]
    if name == "auth":
        found["OIDC_CLIENTS"] = json.dumps({client: client_of(client, store) for client in CLIENTS})
        found["OIDC_RSA_PRIVATE_KEY"] = store["signing-key"]
        found["OIDC_RSA_PRIVATE_KEYS_INACTIVE"] = json.dumps(store.values["signing-key"][1:])
    if name == "billing":
        found["PRICE_KEYS"] = ",".join(store.values["price-key"])
    return found


def client_of(name: str, store: Store) -> dict[str, str]:
    """What auth knows of a service."""
    internal = os.environ.get("INTERNAL_URL", "http://{name}:{port}").format(name=name, port=port(name))
    addresses = {"public_url": public_url(name), "internal_url": internal}
    return {"id": name, "secret": store[f"client-{name}"], **addresses}


def public_url(name: str) -> str:
    """The address that browsers use."""
    return os.environ.get(f"{name.upper()}_PUBLIC_URL", f"http://127.0.0.1:{port(name)}")


def port(name: str) -> int:
    """Where the service listens inside of its container."""
    return {"auth": 3000, "tasks": 5000, "billing": 4000, "analytics": 7000}[name]


def app_logins(name: str, store: Store) -> list[tuple[str, str]]:
    """The app's two names with their passwords, the one to use first; a new password goes to the other name."""
    passwords = [*store.values[f"database-{name}-app"], ""]
    names = [f"{name}_app", f"{name}_app_b"]
    first, second = names if len(passwords) % 2 == 0 else reversed(names)
    return [(first, passwords[0]), (second, passwords[1])]


def logins(name: str, store: Store) -> dict[str, str]:
    """Everybody who signs in to a service's database; the second name of the app has no password at first."""
    others = {f"{name}_{role}": store[f"database-{name}-{role}"] for role in ROLES if role != "app"}
    return others | dict(app_logins(name, store))


def database_url(name: str, role: str, store: Store, host: str = "") -> str:
    """The database of a service for one of its two roles."""
    login = app_logins(name, store)[0][0] if role == "app" else f"{name}_{role}"
    return f"postgres://{login}:{store[f'database-{name}-{role}']}@{host or f'{name}-db:5432'}/{name}"


def settings_from_source(name: str, store: Store) -> list[str]:
    """A `.env` for a service that runs on the host; ports as Compose publishes them."""
    at = {key: f"127.0.0.1:{value}" for key, value in os.environ.items() if key.endswith("_PORT")}
    own = service_files(name, store) | {"DATABASE_URL": database_url(name, "app", store, at[f"{name.upper()}_DB_PORT"])}
    if name == "auth":
        clients = {key: client_of(key, store) | {"internal_url": public_url(key)} for key in CLIENTS}
        own["OIDC_CLIENTS"] = json.dumps(clients)
    else:
        own["OIDC_CLIENT_ID"] = name
    shared = {
        "DATABASE_APP_ROLE": f"{name}_app",
        "KAFKA_BOOTSTRAP_SERVERS": at["KAFKA_PORT"],
        "SCHEMA_REGISTRY_URL": f"http://{at['REGISTRY_PORT']}/apis/ccompat/v7",
        "VALKEY_URL": f"redis://{at['VALKEY_PORT']}/{VALKEY_NUMBERS[name]}",
        "EMAIL_URL": f"smtp://{at['SMTP_PORT']}",
        "BUSINESS_TIME_ZONE": os.environ["BUSINESS_TIME_ZONE"],
        **{f"{service.upper()}_PUBLIC_URL": public_url(service) for service in SERVICES},
    }
    owner = database_url(name, "owner", store, at[f"{name.upper()}_DB_PORT"])
    lines = [f"{key}='{value}'" for key, value in (own | shared).items()]
    return [*lines, f"# for `manage.py migrate`: DATABASE_URL='{owner}'"]


def main(*words: str) -> str:
    """Do what the words say; returns what to print."""
    store = Store(FOLDER)
    made = store.complete()
    match words:
        case ():
            report = f"Made {', '.join(made)}." if made else "Nothing is missing."
        case ("list",):
            report = "\n".join(known())
        case ("show", name) if name in known():
            report = store[name]
        case ("people",):
            report = "\n".join(f"{address(name):24} {store[f'demo-{name}']}" for name in DEMO_PEOPLE)
        case ("rotate", name):
            store.rotate(name)
            report = f"{name} is new. Take it up: {TAKE_UP}"
        case ("env", name) if name in SERVICES and "KAFKA_PORT" in os.environ:
            report = "\n".join(settings_from_source(name, store))
        case _:
            raise SystemExit(USAGE)
    store.save()
    return report


if __name__ == "__main__":
    sys.stdout.write(main(*sys.argv[1:]) + "\n")
