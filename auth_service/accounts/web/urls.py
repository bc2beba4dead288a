from django.urls import include, path
from oauth2_provider import views as toolkit

from chassis.permissions import public

from . import views
from .oidc import AuthorizeView, DiscoveryView

# What the toolkit offers for managing clients, devices and registrations is not mounted.
oauth = (
    [
        path("authorize/", public(AuthorizeView.as_view()), name="authorize"),
        path("token/", public(toolkit.TokenView.as_view()), name="token"),
        path("revoke_token/", public(toolkit.RevokeTokenView.as_view()), name="revoke-token"),
        path("introspect/", public(toolkit.IntrospectTokenView.as_view()), name="introspect"),
        path("userinfo/", public(toolkit.UserInfoView.as_view()), name="user-info"),
        path("logout/", views.end_session, name="rp-initiated-logout"),
        path(".well-known/jwks.json", public(toolkit.JwksInfoView.as_view()), name="jwks-info"),
        path(".well-known/openid-configuration", public(DiscoveryView.as_view()), name="oidc-connect-discovery-info"),
    ],
    "oauth2_provider",
)

urlpatterns = [
    path("oauth/", include(oauth)),
    path("login", views.login, name="login"),
    path("logout", views.logout, name="logout"),
    path("signed-out", views.signed_out, name="signed_out"),
    path("sign-up", views.sign_up, name="sign_up"),
    path("forgotten-password", views.forgotten_password, name="forgotten_password"),
    path("link", views.link, name="link"),
    path("profile", views.profile, name="profile"),
    path("profile/password", views.profile_password, name="profile_password"),
    path("", views.account_list, name="account_list"),
    path("accounts/invite", views.account_invite, name="account_invite"),
    path("accounts/<uuid:account_id>", views.account_detail, name="account_detail"),
    path("accounts/<uuid:account_id>/edit", views.account_edit, name="account_edit"),
    path("accounts/<uuid:account_id>/role", views.account_role, name="account_role"),
    path("accounts/<uuid:account_id>/deactivate", views.account_deactivate, name="account_deactivate"),
    path("accounts/<uuid:account_id>/reactivate", views.account_reactivate, name="account_reactivate"),
]
