"""Use cases of billing: each writes and publishes in one transaction."""
