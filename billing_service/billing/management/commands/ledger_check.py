"""Proof that no dollar is lost."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from billing.selectors.ledger_check import CHECKS, Finding, complete_findings
from billing.services.checks import ledger_check
from billing.services.limits import take_time

SHOWN = 50


class Command(BaseCommand):
    help = "Check the ledger; exit 1 on any finding. --complete also looks for events that never arrived."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--complete", action="store_true", help="also find lost events, per task")

    def handle(self, *args: Any, complete: bool, **options: Any) -> None:
        findings = ledger_check()
        rules = list(CHECKS)
        if complete:
            with transaction.atomic():
                take_time()
                findings += complete_findings()
            rules.append("every task's events are posted")
        for rule in rules:
            self._report(rule, [finding for finding in findings if finding.rule == rule])
        if findings:
            raise CommandError(f"{len(findings)} findings: money is not where it should be", returncode=1)
        self.stdout.write("The ledger adds up.")

    def _report(self, rule: str, findings: list[Finding]) -> None:
        self.stdout.write(f"{'FAIL' if findings else 'ok':4}  {rule}")
        for finding in findings[:SHOWN]:
            self.stdout.write(f"      {finding.text}")
        if len(findings) > SHOWN:
            self.stdout.write(f"      and {len(findings) - SHOWN} more")
