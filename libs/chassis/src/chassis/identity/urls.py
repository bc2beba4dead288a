from django.urls import path

from . import views

urlpatterns = [
    path("login", views.login, name="login"),
    path("complete/auth", views.complete, name="login_complete"),
    path("logout", views.logout, name="logout"),
    path("backchannel-logout", views.backchannel_logout, name="backchannel_logout"),
]
