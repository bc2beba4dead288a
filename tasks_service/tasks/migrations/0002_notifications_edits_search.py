import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models


# Words are what stands between spaces and punctuation (the same characters as in `domain.words_of`), in lower case.
KEEP_WORDS = r"""
CREATE FUNCTION tasks_words(title text, jira_id text, description text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('simple', translate(lower(title || ' ' || jira_id || ' ' || description),
        '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32)))
$$;
CREATE FUNCTION tasks_words_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tasks_tasksearch (task_id, words)
    VALUES (NEW.id, tasks_words(NEW.title, NEW.jira_id, NEW.description))
    ON CONFLICT (task_id) DO UPDATE SET words = EXCLUDED.words;
    RETURN NULL;
END
$$;
CREATE TRIGGER tasks_words_of_new AFTER INSERT ON tasks_task
    FOR EACH ROW EXECUTE FUNCTION tasks_words_keep();
-- Named columns and a condition: reassigning sets none of them, and completing writes them as they were.
CREATE TRIGGER tasks_words_of_edited AFTER UPDATE OF title, jira_id, description ON tasks_task
    FOR EACH ROW WHEN ((OLD.title, OLD.jira_id, OLD.description)
        IS DISTINCT FROM (NEW.title, NEW.jira_id, NEW.description))
    EXECUTE FUNCTION tasks_words_keep();
INSERT INTO tasks_tasksearch (task_id, words)
    SELECT id, tasks_words(title, jira_id, description) FROM tasks_task;
"""
FORGET_WORDS = """
DROP TRIGGER tasks_words_of_new ON tasks_task;
DROP TRIGGER tasks_words_of_edited ON tasks_task;
DROP FUNCTION tasks_words_keep();
DROP FUNCTION tasks_words(text, text, text);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('tasks', '0001_tasks'),
    ]

    operations = [
        migrations.AddField(
            model_name='taskhistory',
            name='changes',
            field=models.JSONField(help_text='What an edit changed: the field, and its text before and after.', null=True),
        ),
        migrations.AlterField(
            model_name='taskhistory',
            name='kind',
            field=models.CharField(choices=[('created', 'created'), ('edited', 'edited'), ('assigned', 'assigned'), ('waiting', 'waiting for a worker'), ('done', 'done'), ('undone', 'undone'), ('reopened', 'reopened')], max_length=10),
        ),
        migrations.CreateModel(
            name='ConfirmationCode',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('account_id', models.UUIDField()),
                ('channel', models.CharField(choices=[('mail', 'E-mail'), ('sms', 'SMS'), ('slack', 'Slack')], max_length=5)),
                ('address', models.CharField(max_length=30)),
                ('code_hash', models.CharField(max_length=64)),
                ('created_at', models.DateTimeField()),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('closed_at', models.DateTimeField(help_text='Used, withdrawn, or followed by another code.', null=True)),
            ],
            options={
                'indexes': [models.Index(models.F('account_id'), models.F('channel'), models.F('created_at'), name='code_of'), models.Index(models.F('address'), models.F('created_at'), name='code_to')],
            },
        ),
        migrations.CreateModel(
            name='Contact',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('account_id', models.UUIDField()),
                ('channel', models.CharField(choices=[('mail', 'E-mail'), ('sms', 'SMS'), ('slack', 'Slack')], max_length=5)),
                ('enabled', models.BooleanField()),
                ('address', models.CharField(blank=True, help_text='Confirmed; empty for mail: auth knows that one.', max_length=30)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('account_id', 'channel'), name='contact_of')],
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('attempts', models.IntegerField(default=0)),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('last_error', models.CharField(blank=True, max_length=200)),
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('account_id', models.UUIDField()),
                ('channel', models.CharField(choices=[('mail', 'E-mail'), ('sms', 'SMS'), ('slack', 'Slack')], max_length=5)),
                ('kind', models.CharField(choices=[('tasks', 'tasks'), ('code', 'code')], max_length=5)),
                ('message_id', models.CharField(help_text='The same at each attempt.', max_length=160, unique=True)),
                ('address', models.CharField(blank=True, help_text='Where it goes; empty until the address is known.', max_length=320)),
                ('subject', models.CharField(max_length=300)),
                ('body', models.TextField(blank=True, help_text='Emptied once a code is sent.')),
                ('created_at', models.DateTimeField()),
                ('next_attempt_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(models.F('next_attempt_at'), condition=models.Q(('done_at__isnull', True)), name='delivery_due'), models.Index(models.F('account_id'), models.F('created_at'), models.F('id'), name='delivery_of')],
            },
        ),
        migrations.CreateModel(
            name='Notification',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('account_id', models.UUIDField()),
                ('cause', models.CharField(max_length=80)),
                ('at', models.DateTimeField()),
                ('task_ids', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), help_text='As many of the tasks as a message names.', size=None)),
                ('count', models.PositiveIntegerField(help_text='How many tasks there are.')),
                ('composed_at', models.DateTimeField(help_text='When it went into a message.', null=True)),
            ],
            options={
                'indexes': [models.Index(models.F('at'), condition=models.Q(('composed_at__isnull', True)), name='notification_due'), models.Index(models.F('account_id'), models.F('at'), condition=models.Q(('composed_at__isnull', True)), name='notification_of')],
                'constraints': [models.UniqueConstraint(fields=('account_id', 'cause'), name='notification_cause')],
            },
        ),
        migrations.CreateModel(
            name='TaskSearch',
            fields=[
                ('task', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name='search', serialize=False, to='tasks.task')),
                ('words', django.contrib.postgres.search.SearchVectorField()),
            ],
            options={
                'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['words'], name='task_words')],
            },
        ),
        migrations.RunSQL(KEEP_WORDS, FORGET_WORDS),
    ]
