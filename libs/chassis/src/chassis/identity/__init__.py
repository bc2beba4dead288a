"""Signing in through the auth service: the relying side.

A service that has no accounts of its own installs this app and calls `chassis.identity.settings.identity_settings`; it gets `/login`,
`/complete/auth`, `/logout` and `/backchannel-logout` from `chassis.identity.urls`, and two middlewares:

- `chassis.identity.middleware.HtmxLoginMiddleware` (the auth service uses it too), before the permission middleware;
- `chassis.identity.middleware.SessionEpochMiddleware`, right after Django's `AuthenticationMiddleware`.

No token and no role is kept in a session: only who it is, the browser's `sid` at auth and the session epoch.
"""
