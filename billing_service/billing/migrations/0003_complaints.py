import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0002_cycle_guard'),
    ]

    operations = [
        migrations.AddField(
            model_name='task',
            name='created_received_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='task',
            name='state_received_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='transfer',
            name='about',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='transfer',
            name='event_id',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='transfer',
            name='received_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name='task',
            index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.search.SearchVector('title', config='simple'), condition=models.Q(('title', ''), _negated=True), name='task_by_title'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(condition=models.Q(('jira_id', ''), _negated=True), fields=['jira_id', 'id'], name='task_by_jira_id'),
        ),
        migrations.AddIndex(
            model_name='transfer',
            index=models.Index(condition=models.Q(('kind', 'adjustment')), fields=['recorded_at', 'id'], name='corrections_by_time'),
        ),
        migrations.AddIndex(
            model_name='transfer',
            index=models.Index(condition=models.Q(('about__isnull', False)), fields=['about'], name='corrections_of_an_entry'),
        ),
    ]
