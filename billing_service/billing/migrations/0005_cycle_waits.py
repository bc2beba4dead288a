from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0004_payout_is_outgoing")]
    operations = [
        migrations.AddField("cycle", "awaited_since", models.DateTimeField(null=True)),
        migrations.AddField("cycle", "awaited_at", models.DateTimeField(null=True)),
        migrations.AlterField("cycle", "id", models.UUIDField(primary_key=True, serialize=False)),
    ]
