import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('replica', '0001_initial'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='account',
            index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.search.SearchVector('full_name', 'email', config='simple'), name='replica_account_words'),
        ),
    ]
