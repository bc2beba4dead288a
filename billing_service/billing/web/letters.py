"""What billing knows around its dead letters: who decides, and what a letter is about."""

from django.http import HttpRequest
from django.urls import reverse

from billing.selectors.search import uuid_in
from chassis.permissions import may
from chassis.replica.services import name_of
from chassis.validators import visible
from eventbus.urls import Around, Letter

PAGES = {"tasks": "task_detail", "tasks-stream": "task_detail", "prices-stream": "task_detail"}


def is_admin(request: HttpRequest) -> bool:
    """Finance reads dead letters, and decides about none."""
    return may(request.user, "admin")


def page_of(letter: Letter) -> str:
    """The page that answers a complaint about the letter's task."""
    id_ = uuid_in(letter.about)
    return reverse(PAGES[letter.topic], args=[id_]) if id_ and letter.topic in PAGES else ""


AROUND = Around(may_act=is_admin, page_of=page_of, name_of=name_of, check_reason=visible)
