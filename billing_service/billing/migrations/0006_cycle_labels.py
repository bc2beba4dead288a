from django.conf import settings
from django.db import migrations, models

from chassis.business_time import business_date


def label(apps, schema_editor):
    """Cycles until now were made under the settings of now, which nobody could change without wrong figures."""
    cycles = apps.get_model("billing", "Cycle").objects.filter(due_on=None)
    for cycle in cycles:
        cycles.filter(pk=cycle.pk).update(due_on=business_date(cycle.due_at), currency=settings.CURRENCY)


class Migration(migrations.Migration):
    dependencies = [("billing", "0005_cycle_waits")]
    operations = [
        migrations.AddField("cycle", "due_on", models.DateField(null=True)),
        migrations.AddField("cycle", "currency", models.CharField(db_default="", default="", max_length=3)),
        migrations.RunPython(label, migrations.RunPython.noop, elidable=True),
    ]
