"""Settings of the billing service; what all services share comes from chassis."""

from datetime import time
from pathlib import Path

from billing.domain import CENTS, parse_price_keys
from chassis.settings import Environment, service_settings

BASE_DIR = Path(__file__).resolve().parent.parent

globals().update(
    service_settings(
        name="billing",
        base_dir=BASE_DIR,
        apps=["billing"],
        consumers="billing.events.consumed.CONSUMERS",
        figures="billing.figures.FIGURES",
        replica=True,
        beat={
            "close due cycles": {"task": "billing.jobs.close_due_cycles", "schedule": 60.0},
            "check the ledger": {"task": "billing.jobs.check_ledger", "schedule": 600.0},
            "send payout mails": {"task": "billing.jobs.send_payout_mails", "schedule": 15.0},
        },
    )
)

environment = Environment(BASE_DIR)
NAVIGATION = [
    ("Overview", "dashboard", ("admin", "finance")),
    ("Workers", "worker_list", ("admin", "finance")),
    ("Cycles", "cycle_list", ("admin", "finance")),
    ("Corrections", "correction_list", ("admin", "finance")),
    ("Dead letters", "dead_letters:list", ("admin", "finance")),
    ("My statement", "statement", ()),
]
SEARCH = ("Worker, task, Jira id or entry", "search", ("admin", "finance"))

# The first key prices new tasks; the others stay readable and belong to the backup set.
PRICE_KEYS = parse_price_keys(environment.required("PRICE_KEYS", relaxed="demo:" + "00" * 32))
# The most that one correction moves, given in whole units of the currency, kept in cents.
CORRECTION_LIMIT = environment.integer("CORRECTION_LIMIT", 1000) * CENTS
BILLING_CYCLE_TIME = time.fromisoformat(environment.text("BILLING_CYCLE_TIME", "18:00"))
