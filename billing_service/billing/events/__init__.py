"""The event door of billing."""
