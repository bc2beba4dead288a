"""A ledger from a backup takes back what it told since: from its own topics, before anything else of billing is up."""

from billing.services.taking_back.ledger import TakenBack, ledger_take_back
from billing.services.taking_back.told import Contradiction, Told, chunks, told_read

__all__ = ["Contradiction", "TakenBack", "Told", "chunks", "ledger_take_back", "told_read"]
