"""Looking at the ledger and closing it, for tests."""

from billing.models import LedgerAccount, Transfer
from billing.services.cycles import cycles_close_due
from tests.make import DUE


def close(now=DUE, *, consumed=True, **given):
    return cycles_close_due(now=now, consumed=lambda moment: consumed, **given)


def balances():
    return dict(LedgerAccount.objects.values_list("id", "balance"))


def payouts():
    return list(Transfer.objects.filter(kind="payout").order_by("account_id").values_list("account_id", "amount"))
