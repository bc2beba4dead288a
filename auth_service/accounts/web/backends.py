from django.contrib.auth.backends import ModelBackend


class AccountBackend(ModelBackend):
    """Signs in who is active and has confirmed the address; everybody else is told the same as a wrong password."""

    def user_can_authenticate(self, user):  # type: ignore[no-untyped-def]
        return user.is_active and user.is_confirmed
