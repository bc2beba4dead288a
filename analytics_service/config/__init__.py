"""Configuration of the analytics service."""
