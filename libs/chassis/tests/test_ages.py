"""What grows old in secret: keys, and the certificate that browsers are shown."""

import socket
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from prometheus_client import CollectorRegistry

from chassis import certificates, figures
from chassis.keys import known_since
from chassis.models import KnownKey
from dev.ports import free

NAME = "tracker_certificate_ends_timestamp_seconds"


def certificate(ends: datetime) -> bytes:
    """A key and a certificate that nobody vouches for, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(datetime(2020, 1, 1, tzinfo=UTC)).not_valid_after(ends)
    secret = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, *secret)
    return pem + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@contextmanager
def proxy(pem: str):
    """A server that shakes hands and hangs up; yields its port and the list of those who came."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    visits: list[object] = []

    def serve() -> None:
        while True:
            try:
                connection, address = server.accept()
            except OSError:
                return
            visits.append(address)
            with connection, context.wrap_socket(connection, server_side=True):
                """Nothing more is wanted."""

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], visits
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture
def read(settings, db):
    """What Prometheus reads, after the last look was forgotten."""
    settings.FIGURES = ["chassis.certificates.FIGURES"]
    certificates._end_of.cache_clear()
    registry = CollectorRegistry()
    figures.register(registry)
    yield lambda: registry.get_sample_value(NAME)
    certificates._end_of.cache_clear()


@pytest.mark.parametrize("days", [-3, 30])
def test_the_end_of_the_certificate_is_told_also_once_it_is_past(days, read, settings, tmp_path):
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
    (tmp_path / "both.pem").write_bytes(certificate(ends))
    with proxy(str(tmp_path / "both.pem")) as (port, visits):
        settings.PUBLIC_URL = f"https://127.0.0.1:{port}"
        assert [read(), read()] == [ends.timestamp()] * 2
        assert len(visits) == 1  # not at each scrape


def test_without_tls_or_an_answer_nothing_is_told(read, settings):
    settings.PUBLIC_URL = "http://127.0.0.1:1"
    assert read() is None
    settings.PUBLIC_URL = f"https://127.0.0.1:{free(['nobody'])['nobody']}"
    assert read() is None


@pytest.mark.django_db
def test_a_key_is_as_old_as_its_first_use_here():
    first = known_since("signing key", "a")
    assert known_since("signing key", "a") == first
    assert known_since("signing key", "b") > first
    assert known_since("price key", "a") > first
    assert KnownKey.objects.count() == 3
