"""Accounts as the other services know them: a replica of auth's, kept by events and sign-ins."""
