"""Nobody asked what access was last reported. Before the first release: no older process writes these columns."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("replica", "0002_words")]
    operations = [
        migrations.RemoveField("account", "reported_role"),
        migrations.RemoveField("account", "reported_active"),
    ]
