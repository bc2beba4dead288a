"""An auth service for tests: real HTTP on loopback, real keys and tokens, and answers that can be made wrong."""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

EVENT = "http://schemas.openid.net/event/backchannel-logout"


def make_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


KEY = make_key()


class FakeAuth:
    """Answers as auth does. `claims` are changed by a test before the code is exchanged; None leaves one out."""

    def __init__(self) -> None:
        self.kid = uuid4().hex
        self.key = KEY
        self.published = [(self.kid, self.key)]
        self.claims: dict[str, Any] = {}
        self.status = 200
        self.health = 200
        self.seconds = 0.0  # until a code is exchanged
        self.token_requests: list[dict[str, str]] = []
        self.key_requests = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.issuer = f"{self.url}/oauth"
        Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def sign(
        self, claims: dict[str, Any], *, typ: str = "JWT", key: Any = None, kid: str = "", alg: str = "RS256"
    ) -> str:
        present = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(present, key or self.key, algorithm=alg, headers={"kid": kid or self.kid, "typ": typ})

    def id_token(self, code: str = "") -> str:
        now = int(time.time())
        own = {"iss": self.issuer, "aud": "tasks", "iat": now, "exp": now + 300, "email": "w@popug.example"}
        own |= {
            "name": "Wilma Weber",
            "role": "worker",
            "access_version": 1,
            "session_epoch": 1,
            "sid": "a-browser",
            "nonce": code,
        }
        return self.sign(own | self.claims)

    def logout_token(
        self,
        sub: object,
        *,
        typ: str = "logout+jwt",
        key: Any = None,
        kid: str = "",
        alg: str = "RS256",
        **changed: Any,
    ) -> str:
        now = int(time.time())
        own = {"iss": self.issuer, "aud": "tasks", "sub": str(sub), "iat": now, "exp": now + 120}
        own |= {"jti": uuid4().hex, "events": {EVENT: {}}, "session_epoch": 1}
        return self.sign(own | changed, typ=typ, key=key, kid=kid, alg=alg)

    def consent(self, query: str) -> str:
        """Where a browser that is signed in at auth is sent back to; the code is the nonce, for `id_token`."""
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        answer = {"state": asked["state"], "code": asked["nonce"], "iss": self.issuer}
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    def answer(self, path: str, code: str = "") -> tuple[int, dict[str, Any]]:
        if path == "/readyz":
            return self.health, {}
        if path == "/oauth/.well-known/jwks.json":
            self.key_requests += 1
            return 200, {"keys": [_public(kid, key) for kid, key in self.published]}
        time.sleep(self.seconds)
        if self.status != 200:
            return self.status, {"error": "invalid_grant"}
        return 200, {"access_token": "never kept", "token_type": "Bearer", "id_token": self.id_token(code)}


def _public(kid: str, key: rsa.RSAPrivateKey) -> dict[str, Any]:
    found = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return found | {"kid": kid, "alg": "RS256", "use": "sig"}


def _handler(auth: FakeAuth) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            if address.path == "/oauth/authorize/":
                self.send_response(302)
                self.send_header("Location", auth.consent(address.query))
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self.reply()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            auth.token_requests.append(form | {"authorization": self.headers.get("Authorization", "")})
            self.reply(form.get("code", ""))

        def reply(self, code: str = "") -> None:
            status, content = auth.answer(self.path, code)
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    return Handler
