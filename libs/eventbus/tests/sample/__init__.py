"""A shop, the service under test: it writes orders and consumes payments of another service."""
