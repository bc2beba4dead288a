"""Settings of the tasks service; what all services share comes from chassis."""

from pathlib import Path

from chassis.settings import service_settings

BASE_DIR = Path(__file__).resolve().parent.parent

globals().update(
    service_settings(
        name="tasks",
        base_dir=BASE_DIR,
        apps=["tasks"],
        consumers="tasks.events.consumed.CONSUMERS",
        state="tasks.events.published.STATE",
        replica=True,
    )
)

NAVIGATION = [
    ("Tasks", "task_list", ()),
    ("Reassignments", "reassignment_list", ("admin", "manager")),
    ("Dead letters", "dead_letters:list", ("admin",)),
]
