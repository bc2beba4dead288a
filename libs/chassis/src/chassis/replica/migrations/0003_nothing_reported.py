"""Nobody asked what access was last reported. The columns stay, with defaults: pods of the release before write them."""

from django.db import migrations

DEFAULTS = """
ALTER TABLE replica_account ALTER COLUMN reported_role SET DEFAULT '';
ALTER TABLE replica_account ALTER COLUMN reported_active SET DEFAULT true;
"""
NO_DEFAULTS = """
ALTER TABLE replica_account ALTER COLUMN reported_role DROP DEFAULT;
ALTER TABLE replica_account ALTER COLUMN reported_active DROP DEFAULT;
"""


class Migration(migrations.Migration):
    dependencies = [("replica", "0002_words")]
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField("account", "reported_role"),
                migrations.RemoveField("account", "reported_active"),
            ],
            database_operations=[migrations.RunSQL(DEFAULTS, NO_DEFAULTS)],
        ),
    ]
