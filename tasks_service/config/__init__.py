"""Configuration of the tasks service."""
