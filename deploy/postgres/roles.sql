-- The two roles of a service's database, and nobody else in it. The superuser runs it in the service's database, at
-- every start: what is missing is made, what differs is put right, a new password is taken up.
-- It reads tracker.service, tracker.owner_password and tracker.app_password, settings of the session that runs it, and
-- tracker.app_b_password if there is one: the app has two names to sign in with, the second a member of the first, and a
-- new password goes to the name that the last one did not have. So the processes that still have the last one work on.
DO $$
DECLARE
  service text := current_setting('tracker.service');
  owner text := service || '_owner';
  app text := service || '_app';
  app_b text := service || '_app_b';
  app_b_password text := coalesce(current_setting('tracker.app_b_password', true), '');
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = owner) THEN
    EXECUTE format('CREATE ROLE %I', owner);
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = app) THEN
    EXECUTE format('CREATE ROLE %I', app);
  END IF;
  EXECUTE format('ALTER ROLE %I LOGIN PASSWORD %L', owner, current_setting('tracker.owner_password'));
  EXECUTE format('ALTER ROLE %I LOGIN PASSWORD %L', app, current_setting('tracker.app_password'));
  -- A frozen process must not stop the others; the relay sets its own idle_session_timeout.
  EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = %L', app, '10s');
  IF app_b_password <> '' THEN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = app_b) THEN
      EXECUTE format('CREATE ROLE %I IN ROLE %I', app_b, app);
    END IF;
    EXECUTE format('ALTER ROLE %I LOGIN PASSWORD %L', app_b, app_b_password);
    EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = %L', app_b, '10s');
  END IF;
  EXECUTE format('ALTER DATABASE %I OWNER TO %I', service, owner);
  EXECUTE format('REVOKE CONNECT, TEMPORARY ON DATABASE %I FROM PUBLIC', service);
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I, %I', service, owner, app);
  REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
END
$$;
