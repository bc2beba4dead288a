"""How old a key is: nothing in a key says when it was made, so the database notes when it saw it first."""

from datetime import datetime

from chassis.models import KnownKey


def known_since(purpose: str, key_id: str) -> datetime:
    """When this installation first used the key of this id, which must not be a secret; now, if it is new."""
    return KnownKey.objects.get_or_create(purpose=purpose, key_id=key_id)[0].since
