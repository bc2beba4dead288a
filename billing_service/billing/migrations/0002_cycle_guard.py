"""A posting goes into the open cycle; the closer's payouts into the closing one. Nothing else is accepted."""

from django.db import migrations

GUARD = """
CREATE FUNCTION billing_transfer_cycle_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    refused text;
BEGIN
    SELECT format('%s into cycle %s (%s)', n.idempotency_key, n.cycle_id, coalesce(c.state, 'unknown'))
    INTO refused
    FROM (SELECT cycle_id, kind = 'payout' AS payout, min(idempotency_key) AS idempotency_key
          FROM new_transfers GROUP BY 1, 2) n
    LEFT JOIN billing_cycle c ON c.id = n.cycle_id
    WHERE c.state IS DISTINCT FROM CASE WHEN n.payout THEN 'closing' ELSE 'open' END
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'posting refused: %', refused USING ERRCODE = 'check_violation',
            CONSTRAINT = 'transfer_cycle_accepts_posting';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER transfer_cycle_accepts_posting AFTER INSERT ON billing_transfer
    REFERENCING NEW TABLE AS new_transfers
    FOR EACH STATEMENT EXECUTE FUNCTION billing_transfer_cycle_guard();
"""
UNGUARD = """
DROP TRIGGER transfer_cycle_accepts_posting ON billing_transfer;
DROP FUNCTION billing_transfer_cycle_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_ledger")]
    operations = [migrations.RunSQL(GUARD, UNGUARD)]
