"""What the settings of a service refuse, and what they ask of the database."""

import pytest
from django.db import connection


@pytest.mark.django_db
def test_a_frozen_process_is_cut_off_by_the_database():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('idle_in_transaction_session_timeout'), current_setting('lock_timeout')")
        assert cursor.fetchone() == ("10s", "10s")
