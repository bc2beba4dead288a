from .accounts import (
    account_deactivate,
    account_detail,
    account_edit,
    account_invite,
    account_list,
    account_reactivate,
    account_role,
)
from .links import forgotten_password, link, sign_up
from .profile import profile, profile_password
from .signing import end_session, login, logout, signed_out

__all__ = [
    "account_deactivate",
    "account_detail",
    "account_edit",
    "account_invite",
    "account_list",
    "account_reactivate",
    "account_role",
    "end_session",
    "forgotten_password",
    "link",
    "login",
    "logout",
    "profile",
    "profile_password",
    "sign_up",
    "signed_out",
]
