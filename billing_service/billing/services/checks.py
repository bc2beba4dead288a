"""The proof that the ledger adds up, made every night and kept for those who watch."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, time

import structlog
from django.db import transaction

from billing.domain import last_time_of_day
from billing.models import LedgerCheck
from billing.selectors.clock import database_now
from billing.selectors.ledger_check import Finding, ledger_findings
from billing.services.limits import take_time
from chassis.business_time import zone

NIGHT = time(3)
logger = structlog.get_logger("billing.checks")


@transaction.atomic
def ledger_check() -> list[Finding]:
    """Check the ledger by itself, note that and with how many findings, and return them."""
    take_time()
    findings = ledger_findings()
    LedgerCheck.objects.create(finished_at=database_now(), findings=len(findings))
    if findings:
        rules = Counter(finding.rule for finding in findings)
        logger.error("ledger_check_failed", findings=len(findings), rules=dict(rules))
    return findings


def ledger_check_nightly(*, now: datetime) -> bool:
    """Check the ledger unless somebody has since three in the morning, business time; returns whether it did."""
    last = LedgerCheck.objects.order_by("id").last()
    if last is not None and last.finished_at >= last_time_of_day(now, zone=zone(), at=NIGHT):
        return False
    ledger_check()
    return True
