"""What operators watch of auth: read at each scrape of its worker."""

from django.conf import settings
from jwcrypto.jwk import JWK

from chassis.figures import Figure
from chassis.keys import known_since


def signing_key_known_since() -> float | None:
    """Since when the key that signs does so, seconds since 1970; None where a demo has none."""
    pem = settings.OAUTH2_PROVIDER["OIDC_RSA_PRIVATE_KEY"]
    if not pem:
        return None
    # The thumbprint is the key id that auth publishes.
    return known_since("signing key", JWK.from_pem(pem.encode()).thumbprint()).timestamp()


FIGURES = {
    "auth_signing_key_since_timestamp_seconds": Figure("Since when the key that signs does so", signing_key_known_since)
}
