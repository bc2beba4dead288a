"""Back-channel logout: each service is told with a token signed by auth, at once and until it has answered."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial

import requests
from django.conf import settings
from django.db import connections
from django.utils import timezone
from jwcrypto import jwt
from oauth2_provider.utils import jwk_from_pem

from accounts.models import LogoutDelivery
from chassis.outgoing import Clock, Retry, claim, settle

EVENT = "http://schemas.openid.net/event/backchannel-logout"
TIMEOUT_SECONDS = 2.0
TOKEN_SECONDS = 120
PARALLEL = 16
BATCH, LEASE = 64, timedelta(seconds=20)
RETRY = Retry(first=timedelta(seconds=1), longest=timedelta(minutes=1))

Post = Callable[[str, str], str]


def logouts_send_soon() -> None:
    """After the commit: sends in a thread, so that no page waits for the services; the job tries again what fails."""
    threading.Thread(target=_send_and_close, daemon=True).start()


def _send_and_close() -> None:
    try:
        logouts_send(clock=timezone.now)
    finally:
        connections.close_all()


def logouts_send(*, clock: Clock, post: Post | None = None) -> int:
    """Sends the log-outs that are due, all at once; returns how many were taken."""
    now = clock()
    rows = claim(LogoutDelivery, limit=BATCH, due=now, until=now + LEASE)
    if not rows:
        return 0
    send = partial(_send, now=now, post=post or _post)
    with ThreadPoolExecutor(max_workers=PARALLEL) as pool:
        outcomes = {row.pk: pool.submit(send, row) for row in rows}
    return settle(rows, attempt=lambda row: outcomes[row.pk].result(), retry_after=RETRY, clock=clock)


def _send(row: LogoutDelivery, *, now: datetime, post: Post) -> str:
    return post(row.url, logout_token(row, now=now))


def _post(url: str, token: str) -> str:
    try:
        answer = requests.post(url, data={"logout_token": token}, timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        return type(error).__name__
    return "" if answer.status_code == 200 else f"HTTP {answer.status_code}"


def logout_token(row: LogoutDelivery, *, now: datetime) -> str:
    """The token of one attempt (OpenID Connect Back-Channel Logout 1.0); its `jti` is never used twice."""
    key = jwk_from_pem(settings.OAUTH2_PROVIDER["OIDC_RSA_PRIVATE_KEY"])
    issued = int(now.timestamp())
    claims = {
        "iss": settings.OAUTH2_PROVIDER["OIDC_ISS_ENDPOINT"],
        "sub": str(row.account_id),
        "aud": row.client_id,
        "iat": issued,
        "exp": issued + TOKEN_SECONDS,
        "jti": f"{row.pk}.{row.attempts}",
        "events": {EVENT: {}},
        "session_epoch": row.session_epoch,
    }
    if row.sid:
        claims["sid"] = row.sid
    header = {"typ": "logout+jwt", "alg": "RS256", "kid": key.thumbprint()}
    token = jwt.JWT(header=json.dumps(header), claims=json.dumps(claims))
    token.make_signed_token(key)
    return str(token.serialize())
