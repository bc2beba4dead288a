"""What a browser does between the service and auth."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID, uuid4

from django.test import Client
from identity.fake_auth import FakeAuth


@dataclass
class Browser:
    auth: FakeAuth
    client: Client

    def begin(self, target: str = "/mine") -> dict[str, str]:
        """Goes to `/login` and returns what auth is asked."""
        response = self.client.get(f"/login?{urlencode({'next': target})}")
        assert response.status_code == 302
        return {name: values[0] for name, values in parse_qs(urlsplit(response["Location"]).query).items()}

    def end(self, question: dict[str, str], **changed: str | None) -> Any:
        """Comes back from auth with a code."""
        answer = {"state": question["state"], "code": "a-code", "iss": self.auth.issuer} | changed
        present = {name: value for name, value in answer.items() if value is not None}
        return self.client.get(f"/complete/auth?{urlencode(present)}")

    def sign_in(self, account_id: UUID | None = None, **claims: Any) -> Any:
        """All of it; `claims` are what the ID token says."""
        question = self.begin()
        self.auth.claims = {"sub": str(account_id or uuid4()), "nonce": question["nonce"]} | claims
        return self.end(question)

    def is_in(self) -> bool:
        return self.client.get("/mine").status_code == 200

    def log_out_notice(self, token: str) -> Any:
        """What auth sends, without cookies and without the form's token."""
        return Client(enforce_csrf_checks=True).post("/backchannel-logout", {"logout_token": token})
