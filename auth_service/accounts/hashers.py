from django.contrib.auth.hashers import PBKDF2PasswordHasher


class ClientSecretHasher(PBKDF2PasswordHasher):
    """For generated client secrets of 256 bits: nobody guesses those, so that no sign-in pays for a million rounds."""

    algorithm = "client_secret"
    iterations = 1_000
