"""Settings of the tasks service; what all services share comes from chassis."""

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from chassis.settings import Environment, service_settings
from tasks.domain import SLACK, SMS, template_check

BASE_DIR = Path(__file__).resolve().parent.parent

globals().update(
    service_settings(
        name="tasks",
        base_dir=BASE_DIR,
        apps=["tasks"],
        consumers="tasks.events.consumed.CONSUMERS",
        figures="tasks.figures.FIGURES",
        state="tasks.services.restoring.STATE",
        replica=True,
        # A nudge that nobody took in time is one of many.
        beat={"send notifications": {"task": "tasks.notifications_send", "schedule": 5.0, "options": {"expires": 10}}},
    )
)

environment = Environment(BASE_DIR)

NAVIGATION = [
    ("Tasks", "task_list", ()),
    ("Reassignments", "reassignment_list", ("admin", "manager")),
    ("Notifications", "notifications", ()),
    ("Dead letters", "dead_letters:list", ("admin",)),
]

# Where messages go, in the form of an apprise address with a place for the person's own; empty: not offered.
try:
    NOTIFICATION_TEMPLATES = {
        SMS: template_check(SMS, environment.text("NOTIFY_SMS_URL")),
        SLACK: template_check(SLACK, environment.text("NOTIFY_SLACK_URL")),
    }
except ValueError as error:
    raise ImproperlyConfigured(f"NOTIFY_SMS_URL, NOTIFY_SLACK_URL: {error}.") from error
