from django.conf import settings


def message_id(*parts: object) -> str:
    """The Message-ID of a message, made of what it is about: the same at each attempt."""
    host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip(">")
    return f"<{'.'.join(str(part) for part in parts)}@{host}>"
