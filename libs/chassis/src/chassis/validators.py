"""Validators of form fields for texts of people's own."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from chassis.texts import is_plain_line, is_visible


def visible(text: str) -> None:
    """Refuses a text of which nothing can be seen; it may have several lines."""
    if not is_visible(text):
        raise ValidationError(_("Nothing of this can be seen: type it anew."), code="invisible")


def visible_line(text: str) -> None:
    """Refuses what is not one line that can be seen as it is, such as a name."""
    if not is_plain_line(text):
        raise ValidationError(_("This has invisible control characters in it: type it anew."), code="controls")
    visible(text)
