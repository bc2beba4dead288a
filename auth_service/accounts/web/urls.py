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
    path("oauth/applications", views.application_list, name="application_list"),
    path("oauth/applications/new", views.application_new, name="application_new"),
    path("oauth/applications/changes", views.application_changes, name="application_changes"),
    path("oauth/applications/<int:party_id>", views.application_detail, name="application_detail"),
    path("oauth/applications/<int:party_id>/edit", views.application_edit, name="application_edit"),
    path("oauth/applications/<int:party_id>/rotate", views.application_rotate, name="application_rotate"),
    path("oauth/applications/<int:party_id>/secret", views.application_secret, name="application_secret"),
    path("oauth/applications/<int:party_id>/delete", views.application_delete, name="application_delete"),
    path("login", views.login, name="login"),
    path("logout", views.logout, name="logout"),
    path("signed-out", views.signed_out, name="signed_out"),
    path("sign-up", views.sign_up, name="sign_up"),
    path("forgotten-password", views.forgotten_password, name="forgotten_password"),
    path("link", views.link, name="link"),
    path("profile", views.profile, name="profile"),
    path("profile/password", views.profile_password, name="profile_password"),
    path("profile/applications/<int:consent_id>/withdraw", views.profile_withdraw, name="profile_withdraw"),
    path("", views.account_list, name="account_list"),
    path("accounts/invite", views.account_invite, name="account_invite"),
    path("accounts/news", views.account_news, name="account_news"),
    path("accounts/export", views.account_export, name="account_export"),
    path("accounts/<uuid:account_id>", views.account_detail, name="account_detail"),
    path("accounts/<uuid:account_id>/edit", views.account_edit, name="account_edit"),
    path("accounts/<uuid:account_id>/role", views.account_role, name="account_role"),
    path("accounts/<uuid:account_id>/deactivate", views.account_deactivate, name="account_deactivate"),
    path("accounts/<uuid:account_id>/reactivate", views.account_reactivate, name="account_reactivate"),
    path("accounts/<uuid:account_id>/unlock", views.account_unlock, name="account_unlock"),
    path("accounts/<uuid:account_id>/link", views.account_link, name="account_link"),
]
