"""A day's work in the demo: what happens and when. The same day always brings the same."""

import random
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

OPENING, CLOSING = 8 * 60, 17 * 60 + 30  # minutes after midnight, business time
MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY = range(6)
FIRST_JIRA_NUMBER = 100

ERRANDS = (
    "Wash the big cage", "Refill the seed silo", "Oil the door of aviary 3", "Count the feathers of lot 7",
    "Answer the complaint about night screeching", "Order sand for the bathing trays",
    "Teach the newcomers the fire drill", "Replace the swing in aviary 1", "Weigh the fledglings",
    "Check the thermometer by the window", "Sort the millet from the sunflower", "Book the vet for beak trimming",
    "Update the list of who bites whom", "Rehang the mirror in the quarantine room",
    "Write down what the grey one keeps saying", "Fix the squeaking perch", "Clean the camera above the nest boxes",
    "Reply to the school that wants a tour", "Label the jars in the medicine cupboard",
    "Find out who eats the cables", "Descale the humidifier", "Translate the visitors' rules",
    "Inventory of ropes and bells", "Swap the night lamps for warmer ones", "Put new rings on the cockatiels",
    "Repair the netting over the yard", "Close the gap under the east door", "Try the new pellets on table 4",
    "Print the name plates", "Measure the noise after six o'clock",
)  # fmt: skip
CHANGES = (
    "Fix",
    "Speed up",
    "Document",
    "Simplify",
    "Add a test for",
    "Review",
    "Roll out",
    "Clean up",
    "Monitor",
    "Redesign",
)
SUBJECTS = (
    "the feeding schedule", "the sign-up page", "the export for the accountant", "the search by ring number",
    "the backup job", "the mail templates", "the visitor counter", "the photo upload", "the vaccination reminders",
    "the price list", "the delivery notes", "the permissions of guests", "the report on moulting",
    "the temperature alarm", "the mobile layout",
)  # fmt: skip
DETAILS = (
    "Ask the night watch before you start: they know where the keys are.",
    "Last time it took two hours.\nPlease note what you used, so that we can order more.",
    "See https://wiki.popug.example/how-we-do-it and correct it where it is wrong.",
    "By noon if possible, the inspector comes in the afternoon.",
    "",
    "",
)
AFTERTHOUGHTS = (
    "Not before ten: the delivery is late.",
    "The key is with the porter.",
    "Only the upper row, the lower one was done last week.",
    "Please take photos before and after.",
)


class Kind(StrEnum):
    CREATE = "create"
    COMPLETE = "complete"
    COMPLETE_FOR = "complete_for"  # a manager presses done for the worker
    UNDO = "undo"
    REOPEN = "reopen"
    REASSIGN = "reassign"
    EDIT = "edit"


@dataclass(frozen=True, slots=True, order=True)
class Step:
    at: datetime
    kind: Kind


def steps_of(day: date, *, zone: ZoneInfo, rng: random.Random) -> list[Step]:
    """What happens on the day, in order: between 08:00 and 17:30, less at the weekend."""
    weekend = day.weekday() >= SATURDAY
    created = rng.randint(2, 3) if weekend else rng.randint(8, 14)
    completed = 1 if weekend else rng.randint(7, 12)
    minutes = [(rng.randint(OPENING + 1, CLOSING - 60), Kind.CREATE) for _ in range(created)]
    minutes += [(rng.randint(OPENING + 30, CLOSING), Kind.COMPLETE) for _ in range(completed)]
    if day.weekday() in (TUESDAY, FRIDAY):
        # First thing in the morning: what is open is of other days, and has its price.
        minutes.append((OPENING, Kind.REASSIGN))
    if day.weekday() in (WEDNESDAY, FRIDAY):
        minutes.append((rng.randint(14 * 60, 15 * 60), Kind.REOPEN))
        minutes.append((rng.randint(15 * 60, 16 * 60), Kind.COMPLETE_FOR))
    if day.weekday() in (MONDAY, THURSDAY):
        minutes.append((rng.randint(10 * 60, 12 * 60), Kind.EDIT))
    if day.weekday() == TUESDAY:
        minutes.append((rng.randint(15 * 60, 16 * 60), Kind.UNDO))
    return sorted(Step(_moment(day, minute, rng.randrange(60), zone), kind) for minute, kind in minutes)


def title_of(*, number: int, rng: random.Random) -> str:
    """A line as somebody would type it; every second one has a Jira id."""
    if rng.random() < 0.5:
        return rng.choice(ERRANDS)
    separator = rng.choice((" ", " - "))
    return f"[popug-{FIRST_JIRA_NUMBER + number}]{separator}{rng.choice(CHANGES)} {rng.choice(SUBJECTS)}"


def _moment(day: date, minute: int, second: int, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(minute // 60, minute % 60, second), zone)
