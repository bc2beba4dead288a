"""A service with one page behind the sign-in."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from chassis.permissions import requires, signed_in


@signed_in
def mine(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{request.user.pk} {request.user.role}")


urlpatterns = [
    path("", include("chassis.identity.urls")),
    path("mine", mine),
    path("office", requires("admin")(mine)),
]
