"""Trouble that a person can do something about."""


class Trouble(Exception):
    """Something outside the code is wrong: the message says what, and what to do. Shown without a traceback."""
