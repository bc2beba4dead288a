"""Settings of auth: what is its own. All that the services share is in `chassis.settings`."""

from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy as _

from chassis.settings import Environment, service_settings

from .parts import oidc_settings, sign_up_settings, throttle_settings

BASE_DIR = Path(__file__).resolve().parent.parent

COMMON = service_settings(
    name="auth",
    base_dir=BASE_DIR,
    apps=["accounts", "oauth2_provider", "axes"],
    consumers="accounts.events.consumed.CONSUMERS",
    state="accounts.services.restoring.STATE",
    figures="accounts.figures.FIGURES",
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

NAVIGATION = [
    (_("Accounts"), "account_list", ("admin",)),
    (_("Applications"), "application_list", ("admin",)),
    (_("Profile"), "profile", ()),
]

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

found = sign_up_settings(environment) | throttle_settings(environment) | oidc_settings(environment, PUBLIC_URL)
globals().update(found)
LOGGING: dict[str, Any] = COMMON["LOGGING"]
LOGGING["loggers"]["axes"] = {"level": "WARNING"}
