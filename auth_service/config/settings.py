"""Settings of auth: what is its own. All that the services share is in `chassis.settings`."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from chassis.settings import Environment, service_settings

BASE_DIR = Path(__file__).resolve().parent.parent

COMMON = service_settings(
    name="auth",
    base_dir=BASE_DIR,
    apps=["accounts", "oauth2_provider", "axes"],
    consumers="accounts.events.consumed.CONSUMERS",
    state="accounts.events.published.STATE",
    replica=False,
    beat={
        "logouts-send": {"task": "accounts.logouts_send", "schedule": 5.0},
        "mail-send": {"task": "accounts.mail_send", "schedule": 5.0},
        "tidy-accounts": {"task": "accounts.tidy", "schedule": 3600.0},
    },
)
globals().update(COMMON)
environment = Environment(BASE_DIR)

PUBLIC_URL: str = COMMON["PUBLIC_URL"]
MIDDLEWARE: list[str] = list(COMMON["MIDDLEWARE"])
MIDDLEWARE.insert(
    MIDDLEWARE.index("django.contrib.auth.middleware.AuthenticationMiddleware") + 1,
    "accounts.web.middleware.SessionEpochMiddleware",
)
# The address is unique regardless of case by a constraint on its lower case; a lock is shown by the form itself.
SILENCED_SYSTEM_CHECKS = ["auth.W004", "axes.W002"]

NAVIGATION = [("Accounts", "account_list", ("admin",)), ("Profile", "profile", ())]

AUTH_USER_MODEL = "accounts.Account"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "accounts.web.backends.AccountBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "full_name"], "max_similarity": 0.85},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "accounts.hashers.ClientSecretHasher",
]

SIGN_UP = environment.text("SIGN_UP", "open" if environment.demo else "closed")
SIGN_UP_DOMAINS = environment.words("SIGN_UP_DOMAINS")

# Sign-in is throttled by network address and e-mail together: an office shares one address, and nobody can lock out
# a colleague from elsewhere.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_FORM_FIELD = "email"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_IPWARE_META_PRECEDENCE_ORDER = ["REMOTE_ADDR"]
AXES_VERBOSE = False
LOGGING: dict[str, Any] = COMMON["LOGGING"]
LOGGING["loggers"]["axes"] = {"level": "WARNING"}


def _pem(text: str) -> str:
    """A key in one line of an environment file has its line breaks written out."""
    return text.replace("\\n", "\n").strip()


OIDC_CLIENTS: dict[str, dict[str, str]] = json.loads(environment.text("OIDC_CLIENTS", "{}"))
OAUTH2_PROVIDER: dict[str, Any] = {
    "OIDC_ENABLED": True,
    "OIDC_ISS_ENDPOINT": f"{PUBLIC_URL}/oauth",
    "OIDC_RSA_PRIVATE_KEY": _pem(environment.required("OIDC_RSA_PRIVATE_KEY", relaxed="")),
    "OIDC_RSA_PRIVATE_KEYS_INACTIVE": [
        _pem(key) for key in json.loads(environment.text("OIDC_RSA_PRIVATE_KEYS_INACTIVE", "[]"))
    ],
    "OIDC_JWKS_MAX_AGE_SECONDS": 300,
    "OIDC_RESPONSE_TYPES_SUPPORTED": ["code"],
    "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
    "OAUTH2_VALIDATOR_CLASS": "accounts.web.oidc.AccountValidator",
    "OAUTH2_RESPONSE_TYPES_SUPPORTED": ["code"],
    "OAUTH2_GRANT_TYPES_SUPPORTED": ["authorization_code"],
    "SCOPES": {"openid": "That it is you", "profile": "Your name and role", "email": "Your e-mail address"},
    "CLIENT_SECRET_HASHER": "client_secret",
    "PKCE_REQUIRED": True,
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 60,
    "ACCESS_TOKEN_EXPIRE_SECONDS": 300,
    "ID_TOKEN_EXPIRE_SECONDS": 300,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["http", "https"] if PUBLIC_URL.startswith("http://") else ["https"],
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
}
