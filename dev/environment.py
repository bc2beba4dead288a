"""The environment of a service: the same names that Compose and Kubernetes set."""

import json
import secrets as random
from collections.abc import Mapping

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from dev.secrets_file import Secrets
from dev.servers import Servers

CLIENTS = ("tasks", "billing", "analytics")
BUSINESS_TIME_ZONE = "Europe/Berlin"


def rsa_key() -> str:
    """A fresh private key, PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(*pem).decode()


def price_key() -> str:
    """A fresh key for drawing prices, with its id."""
    return f"k1:{random.token_hex(32)}"


def service_environment(
    name: str, *, servers: Servers, secrets: Secrets, urls: Mapping[str, str], topic_prefix: str = ""
) -> dict[str, str]:
    """Everything a service reads from its environment. `urls` are the public addresses of the services."""
    common = {
        "SECRET_KEY": secrets.get(f"django_{name}"),
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "DATABASE_URL": servers.postgres.url(name),
        "DATABASE_APP_ROLE": f"{name}_app",
        "KAFKA_BOOTSTRAP_SERVERS": servers.kafka.bootstrap_servers,
        "KAFKA_TOPIC_PREFIX": topic_prefix,
        "KAFKA_REPLICATION_FACTOR": "1",
        "SCHEMA_REGISTRY_URL": servers.registry.url,
        "VALKEY_URL": servers.valkey.url(name),
        "EMAIL_URL": servers.mail.smtp_url,
        "DEFAULT_FROM_EMAIL": "Task Tracker <tracker@popug.example>",
        "AUTH_INTERNAL_URL": urls["auth"],
        "BUSINESS_TIME_ZONE": BUSINESS_TIME_ZONE,
        "CURRENCY": "USD",
        "LOG_FORMAT": "console",
        **{f"{service.upper()}_PUBLIC_URL": url for service, url in urls.items()},
    }
    return common | _own(name, secrets, urls)


def _own(name: str, secrets: Secrets, urls: Mapping[str, str]) -> dict[str, str]:
    """What only this service reads: auth knows all clients, each client knows itself."""
    if name == "auth":
        clients = {client: _client(client, secrets) | _addresses(urls[client]) for client in CLIENTS}
        key = secrets.get("oidc_rsa", rsa_key).replace("\n", "\\n")
        return {"OIDC_CLIENTS": json.dumps(clients), "OIDC_RSA_PRIVATE_KEY": key}
    client = _client(name, secrets)
    own = {"OIDC_CLIENT_ID": client["id"], "OIDC_CLIENT_SECRET": client["secret"]}
    if name == "billing":
        own |= {"PRICE_KEYS": secrets.get("price", price_key), "BILLING_CYCLE_TIME": "18:00"}
    return own


def _client(name: str, secrets: Secrets) -> dict[str, str]:
    return {"id": name, "secret": secrets.get(f"oidc_{name}")}


def _addresses(url: str) -> dict[str, str]:
    return {"public_url": url, "internal_url": url}
