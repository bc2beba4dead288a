"""Signing in through the auth service: the relying side.

A service that has no accounts of its own installs this app with the settings of `chassis.identity.settings`; it gets
`/login`, `/complete/auth`, `/logout` and `/backchannel-logout` from `chassis.identity.urls`, and
`SessionEpochMiddleware` after Django's `AuthenticationMiddleware`.

No token and no role is kept in a session: only who it is, the browser's `sid` at auth and the session epoch.
"""
