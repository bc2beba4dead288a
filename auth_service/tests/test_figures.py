"""What operators watch of auth."""

from time import time
from typing import Any

import pytest

from accounts.figures import FIGURES
from dev.environment import rsa_key

pytestmark = pytest.mark.django_db


def read() -> float | None:
    return FIGURES["auth_signing_key_since_timestamp_seconds"].read()


def test_the_signing_key_is_as_old_as_its_first_use(settings: Any) -> None:
    first = read()
    assert first is not None
    assert time() - 60 < first <= time()
    assert read() == first
    settings.OAUTH2_PROVIDER = settings.OAUTH2_PROVIDER | {"OIDC_RSA_PRIVATE_KEY": rsa_key()}
    changed = read()
    assert changed is not None
    assert changed > first


def test_a_demo_without_a_key_has_no_age(settings: Any) -> None:
    settings.OAUTH2_PROVIDER = settings.OAUTH2_PROVIDER | {"OIDC_RSA_PRIVATE_KEY": ""}
    assert read() is None
