from django.urls import include, path

urlpatterns = [path("", include("accounts.web.urls"))]
