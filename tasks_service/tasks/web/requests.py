from django.http import HttpRequest

from chassis.replica.models import Account


class Request(HttpRequest):
    """A request that passed `signed_in` or `requires`: somebody sent it."""

    user: Account
