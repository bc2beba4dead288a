"""The certificate that browsers are shown at the service's public address: it ends one day."""

import ssl
from functools import lru_cache
from time import monotonic
from urllib.parse import urlsplit

import structlog
from cryptography.x509 import load_pem_x509_certificate
from django.conf import settings

from chassis.figures import Figure

logger = structlog.get_logger("chassis.certificates")
_LOOK_EVERY = 600
_SECONDS = 3


def certificate_ends() -> float | None:
    """When it ends, seconds since 1970; None without TLS, or if the address cannot be reached from here."""
    address = urlsplit(settings.PUBLIC_URL)
    if address.scheme != "https" or address.hostname is None:
        return None
    return _end_of(address.hostname, address.port or 443, int(monotonic() // _LOOK_EVERY))


@lru_cache(maxsize=1)
def _end_of(host: str, port: int, _look: int) -> float | None:
    """Asked once for each look. Whether the certificate is trusted is not asked: one that ended tells so, too."""
    try:
        pem = ssl.get_server_certificate((host, port), timeout=_SECONDS)
    except OSError as error:
        logger.warning("certificate_not_seen", error=str(error))
        return None
    return load_pem_x509_certificate(pem.encode()).not_valid_after_utc.timestamp()


FIGURES = {
    "tracker_certificate_ends_timestamp_seconds": Figure("When the certificate of the pages ends", certificate_ends)
}
