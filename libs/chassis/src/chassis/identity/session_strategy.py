"""social-auth on nothing but the session of one sign-in (`pending`): no table of associations, nonces or tokens."""

from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from social_core.storage import AssociationMixin, BaseStorage, NonceMixin
from social_django.strategy import DjangoStrategy

NONCES = "identity_nonces"
ASSOCIATIONS = "identity_associations"


class _Association:
    """One nonce that was sent to auth, as social-auth wants to see it."""

    def __init__(self, row: list[Any]) -> None:
        self.id = self.handle = row[1]
        self.server_url, _, self.issued, self.lifetime, self.assoc_type = row

    is_expired = AssociationMixin.is_expired


def session_storage(session: SessionBase) -> type[BaseStorage]:
    """A storage for one request whose nonces live in `session`."""

    class Nonce(NonceMixin):
        @classmethod
        def use(cls, server_url: str, timestamp: int, salt: str) -> bool:
            session[NONCES] = [*session.get(NONCES, []), [server_url, timestamp, salt]]
            return True  # a state of 32 random characters is new

        @classmethod
        def consume(cls, server_url: str, timestamp: int, salt: str) -> bool:
            row = [server_url, timestamp, salt]
            known = session.get(NONCES, [])
            session[NONCES] = [other for other in known if other != row]
            return row in known

    class Association(AssociationMixin):
        @classmethod
        def store(cls, server_url: str, association: Any) -> None:
            row = [server_url, association.handle, association.issued, association.lifetime, association.assoc_type]
            session[ASSOCIATIONS] = [*session.get(ASSOCIATIONS, []), row]

        @classmethod
        def get(cls, server_url: str | None = None, handle: str | None = None) -> list[_Association]:
            return [_Association(row) for row in session.get(ASSOCIATIONS, []) if row[:2] == [server_url, handle]]

        @classmethod
        def remove(cls, ids_to_delete: list[str]) -> None:
            session[ASSOCIATIONS] = [row for row in session.get(ASSOCIATIONS, []) if row[1] not in ids_to_delete]

    class SessionStorage(BaseStorage):
        nonce: Any = Nonce
        association: Any = Association

    return SessionStorage


class SessionStrategy(DjangoStrategy):
    """Runs the backend that it was made for, and no other of Django's authentication backends."""

    def __init__(self, request: HttpRequest, session: SessionBase) -> None:
        super().__init__(session_storage(session), request)
        self.session = session

    def authenticate(self, backend: Any, **kwargs: Any) -> Any:
        kwargs.pop("request", None)
        return backend.run_authentication(strategy=self, storage=self.storage, **kwargs | {"backend": backend})

    def clean_authenticate_args(self, *args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return args, kwargs
