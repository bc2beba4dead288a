"""The mail about a payout goes out like all others; its columns keep their names."""

from django.db import migrations, models
from django.db.models import Q

INDEX = "payout_mails_to_send"


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_complaints")]
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex("payout", INDEX),
                migrations.RenameField("payout", "due_at", "next_attempt_at"),
                migrations.RenameField("payout", "sent_at", "done_at"),
                migrations.RenameField("payout", "error", "last_error"),
                migrations.AlterField("payout", "next_attempt_at", models.DateTimeField(db_column="due_at")),
                migrations.AlterField("payout", "done_at", models.DateTimeField(db_column="sent_at", null=True)),
                migrations.AlterField(
                    "payout", "last_error", models.TextField(blank=True, db_column="error", default="")
                ),
                migrations.AddIndex(
                    "payout", models.Index(fields=["next_attempt_at"], condition=Q(done_at=None), name=INDEX)
                ),
            ]
        )
    ]
