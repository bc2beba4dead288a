"""A small service with every part of chassis in it."""
