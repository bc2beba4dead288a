from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='AccountStanding',
            fields=[
                ('pk', models.CompositePrimaryKey('generation', 'account_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('generation', models.IntegerField()),
                ('account_id', models.UUIDField()),
                ('version', models.BigIntegerField()),
                ('role', models.TextField()),
                ('is_active', models.BooleanField()),
            ],
            options={
                'db_table': 'analytics_account_standing',
            },
        ),
        migrations.CreateModel(
            name='DayIncome',
            fields=[
                ('pk', models.CompositePrimaryKey('generation', 'business_date', 'shard', blank=True, editable=False, primary_key=True, serialize=False)),
                ('generation', models.IntegerField()),
                ('business_date', models.DateField()),
                ('shard', models.IntegerField(help_text='Partition of the topic `transactions`.')),
                ('fees', models.BigIntegerField()),
                ('earnings', models.BigIntegerField()),
                ('reversals', models.BigIntegerField()),
            ],
            options={
                'db_table': 'analytics_day_income',
            },
        ),
        migrations.CreateModel(
            name='TaskTitle',
            fields=[
                ('pk', models.CompositePrimaryKey('generation', 'task_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('generation', models.IntegerField()),
                ('task_id', models.UUIDField()),
                ('version', models.BigIntegerField()),
                ('title', models.TextField()),
                ('jira_id', models.TextField(null=True)),
            ],
            options={
                'db_table': 'analytics_task_title',
            },
        ),
        migrations.CreateModel(
            name='AccountBalance',
            fields=[
                ('pk', models.CompositePrimaryKey('generation', 'account_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('generation', models.IntegerField()),
                ('account_id', models.UUIDField()),
                ('balance', models.BigIntegerField()),
            ],
            options={
                'db_table': 'analytics_account_balance',
                'indexes': [models.Index(condition=models.Q(('balance__lt', 0)), fields=['generation', 'account_id'], name='analytics_balance_below_zero')],
            },
        ),
        migrations.CreateModel(
            name='CompletedTask',
            fields=[
                ('pk', models.CompositePrimaryKey('generation', 'task_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('generation', models.IntegerField()),
                ('task_id', models.UUIDField()),
                ('transfer_id', models.UUIDField(null=True)),
                ('account_id', models.UUIDField(null=True)),
                ('reward', models.BigIntegerField(help_text='Cents.', null=True)),
                ('business_date', models.DateField(null=True)),
                ('occurred_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'analytics_completed_task',
                'indexes': [models.Index(models.F('generation'), models.F('business_date'), models.OrderBy(models.F('reward'), descending=True), models.F('occurred_at'), models.F('task_id'), condition=models.Q(('reward__isnull', False)), name='analytics_completed_day'), models.Index(models.F('generation'), models.F('reward'), models.F('occurred_at'), models.F('task_id'), condition=models.Q(('reward__isnull', False)), name='analytics_completed_tie')],
            },
        ),
        migrations.CreateModel(
            name='Generation',
            fields=[
                ('id', models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('number', models.IntegerField()),
            ],
            options={
                'db_table': 'analytics_generation',
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='analytics_generation_one_row')],
            },
        ),
        migrations.CreateModel(
            name='Transaction',
            fields=[
                ('pk', models.CompositePrimaryKey('generation', 'transfer_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('generation', models.IntegerField()),
                ('transfer_id', models.UUIDField()),
                ('account_id', models.UUIDField()),
                ('task_id', models.UUIDField(null=True)),
                ('kind', models.TextField()),
                ('amount', models.BigIntegerField(help_text="Cents, signed: what the worker's balance changes by.")),
                ('currency', models.TextField()),
                ('occurred_at', models.DateTimeField()),
                ('business_date', models.DateField(help_text="From the event: the day in billing's business zone at posting.")),
                ('reverses', models.UUIDField(null=True)),
            ],
            options={
                'db_table': 'analytics_transaction',
                'indexes': [models.Index(condition=models.Q(('kind', 'earning')), fields=['generation', 'task_id'], name='analytics_transaction_earning'), models.Index(condition=models.Q(('kind', 'reversal')), fields=['generation', 'reverses'], name='analytics_transaction_reversal')],
            },
        ),
        migrations.RunSQL(
            "INSERT INTO analytics_generation (id, number) VALUES (1, 1)", reverse_sql=migrations.RunSQL.noop
        ),
    ]
