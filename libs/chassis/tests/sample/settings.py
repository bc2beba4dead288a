"""Settings of the sample service, by the same call that the real ones make."""

from pathlib import Path

from chassis.settings import service_settings

BASE_DIR = Path(__file__).resolve().parent.parent

globals().update(service_settings(name="tasks", base_dir=BASE_DIR, apps=["sample"], events=False))

ROOT_URLCONF = "sample.urls"
NAVIGATION = [
    ("Samples", "sample_list", ()),
    ("Cages", "cage_list", ("admin", "manager")),
]
