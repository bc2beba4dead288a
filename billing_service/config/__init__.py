"""Configuration of the billing service."""
