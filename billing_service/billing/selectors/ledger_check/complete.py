"""Lost events: what the tasks' own counters say should be in the journal and is not. To be run when all is consumed."""

from __future__ import annotations

from uuid import UUID

from billing.selectors.dead_letters import open_letters
from billing.selectors.journal import query
from billing.selectors.ledger_check.finding import Finding

MOST = 100_000  # of assignments or completions of one task: a counter beyond that is wrong, and would take for ever

# Per task: fees 1..assignment_no, earnings 1..completion_no, a reversal for all but the standing one, and no others.
COMPLETE = f"""
    WITH expected AS (
        SELECT t.id AS task_id, format('fee:%s:%s', t.id, n) AS key
        FROM billing_task t CROSS JOIN generate_series(1, t.assignment_no) n WHERE t.assignment_no <= {MOST}
        UNION ALL
        SELECT t.id, format('earning:%s:%s', t.id, n)
        FROM billing_task t CROSS JOIN generate_series(1, t.completion_no) n WHERE t.completion_no <= {MOST}
        UNION ALL
        SELECT t.id, format('reversal:earning:%s:%s', t.id, n)
        FROM billing_task t CROSS JOIN generate_series(1, t.completion_no) n WHERE t.completion_no <= {MOST}
          AND NOT (t.status = 'done' AND n = t.completion_no)
    ), posted AS (
        SELECT task_id, idempotency_key AS key FROM billing_transfer WHERE kind IN ('fee', 'earning', 'reversal')
    )
    SELECT coalesce(e.task_id, p.task_id),
           CASE WHEN p.key IS NULL THEN format('%s is missing', e.key)
                ELSE format('%s is posted, the task knows nothing of it', p.key) END
    FROM expected e FULL JOIN posted p USING (key)
    WHERE e.key IS NULL OR p.key IS NULL
    UNION ALL
    SELECT id, format('task %s: its state was never received', id) FROM billing_task WHERE version = 0
    UNION ALL
    SELECT id, format('task %s: it counts %s assignments and %s completions, which cannot be', id, assignment_no,
                      completion_no)
    FROM billing_task WHERE greatest(assignment_no, completion_no) > {MOST}
    ORDER BY 1, 2
"""  # noqa: S608  constants only


def complete_findings() -> list[Finding]:
    """Events that are lost or wait somewhere; open dead letters of the task are named as the reason."""
    found: list[tuple[UUID, str]] = [(row[0], row[1]) for row in query(COMPLETE)]
    dead = open_letters({task_id for task_id, _ in found})
    return [Finding("every task's events are posted", text + _reason(dead.get(task_id, []))) for task_id, text in found]


def _reason(letters: list[str]) -> str:
    return f" (dead letters: {', '.join(letters)})" if letters else ""
