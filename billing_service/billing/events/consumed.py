"""All subscriptions of billing: consumer -> event -> handler."""

from billing.services.prices import prices_restore
from billing.services.task_events import task_events_post, tasks_apply
from chassis.replica.services import accounts_apply

CONSUMERS = {
    "accounts": {
        "AccountCreated": accounts_apply,
        "AccountUpdated": accounts_apply,
        "AccountDeleted": accounts_apply,
        "AccountRoleChanged": accounts_apply,
        "AccountDeactivated": accounts_apply,
        "AccountReactivated": accounts_apply,
    },
    "tasks": {
        "TaskCreated": tasks_apply,
        "TaskUpdated": tasks_apply,
        # One function, because their effects commute: they always come together.
        "TaskAssigned": task_events_post,
        "TaskCompleted": task_events_post,
        "TaskReopened": task_events_post,
    },
    # Billing's own topic, read to its end before the first event of `tasks` (management/commands/run_consumer.py).
    "prices": {"TaskPriced": prices_restore},
}
