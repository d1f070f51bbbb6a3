-- The walls: checks, row-level security with FORCE, grants, day partitions of runs. The three roles exist (src/infra/db/roles.ts).
ALTER TABLE schedules
  ADD CONSTRAINT schedules_state CHECK (state IN ('ACTIVE', 'PAUSED', 'DISABLED', 'COMPLETED')),
  ADD CONSTRAINT schedules_scope CHECK (scope IN ('SYSTEM', 'TENANT', 'ORGANIZATION')),
  ADD CONSTRAINT schedules_paused CHECK ((state = 'PAUSED') = (pause IS NOT NULL)),
  ADD CONSTRAINT schedules_counts CHECK (version >= definition_version AND definition_version >= 1 AND fires >= 0);
--> statement-breakpoint
ALTER TABLE timers ADD CONSTRAINT timers_due_after_slot CHECK (next_due >= slot), ADD CONSTRAINT timers_fires CHECK (fires >= 0);
--> statement-breakpoint
ALTER TABLE runs
  ADD CONSTRAINT runs_state CHECK (state IN ('PENDING', 'RUNNING', 'RETRYING', 'SUCCEEDED', 'CANCELLED', 'SKIPPED', 'DEAD')),
  ADD CONSTRAINT runs_reason CHECK ((state IN ('SKIPPED', 'CANCELLED', 'DEAD')) = (reason IS NOT NULL)),
  ADD CONSTRAINT runs_claimed CHECK ((state = 'RUNNING') = (claim_id IS NOT NULL));
--> statement-breakpoint
ALTER TABLE claims ADD CONSTRAINT claims_aligned CHECK (
  cardinality(schedule_ids) = cardinality(slots) AND cardinality(slots) = cardinality(spaces) AND cardinality(spaces) = cardinality(versions)
  AND cardinality(schedule_ids) > 0);
--> statement-breakpoint
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY tenants_of_tenant ON tenants TO scheduler_api
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), ''))
  WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), ''));
--> statement-breakpoint
CREATE POLICY tenants_of_engine ON tenants TO scheduler_engine USING (true) WITH CHECK (true);
--> statement-breakpoint
ALTER TABLE schedules ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE schedules FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY schedules_of_tenant ON schedules TO scheduler_api
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), ''))
  WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), ''));
--> statement-breakpoint
CREATE POLICY schedules_of_engine ON schedules TO scheduler_engine USING (true) WITH CHECK (true);
--> statement-breakpoint
ALTER TABLE schedule_versions ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE schedule_versions FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY schedule_versions_of_tenant ON schedule_versions TO scheduler_api
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), ''))
  WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), ''));
--> statement-breakpoint
CREATE POLICY schedule_versions_of_engine ON schedule_versions TO scheduler_engine USING (true) WITH CHECK (true);
--> statement-breakpoint
ALTER TABLE timers ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE timers FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY timers_of_tenant ON timers TO scheduler_api
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), ''))
  WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), ''));
--> statement-breakpoint
CREATE POLICY timers_of_engine ON timers TO scheduler_engine USING (true) WITH CHECK (true);
--> statement-breakpoint
ALTER TABLE runs ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE runs FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY runs_of_tenant ON runs TO scheduler_api
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), ''))
  WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), ''));
--> statement-breakpoint
CREATE POLICY runs_of_engine ON runs TO scheduler_engine USING (true) WITH CHECK (true);
--> statement-breakpoint
ALTER TABLE retries ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE retries FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY retries_of_tenant ON retries TO scheduler_api
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), ''))
  WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), ''));
--> statement-breakpoint
CREATE POLICY retries_of_engine ON retries TO scheduler_engine USING (true) WITH CHECK (true);
--> statement-breakpoint
ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY idempotency_keys_of_tenant ON idempotency_keys TO scheduler_api
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), ''))
  WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), ''));
--> statement-breakpoint
CREATE POLICY idempotency_keys_of_engine ON idempotency_keys TO scheduler_engine USING (true) WITH CHECK (true);
--> statement-breakpoint
GRANT USAGE ON SCHEMA public TO scheduler_api, scheduler_engine;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON tenants, schedules, schedule_versions, timers, runs, retries, idempotency_keys, claims, nodes TO scheduler_engine;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON schedules, timers, retries, idempotency_keys TO scheduler_api;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON tenants, runs TO scheduler_api;
--> statement-breakpoint
GRANT SELECT, INSERT ON schedule_versions TO scheduler_api;
--> statement-breakpoint
GRANT SELECT ON nodes TO scheduler_api;
--> statement-breakpoint
CREATE TABLE runs_default PARTITION OF runs DEFAULT;
--> statement-breakpoint
ALTER TABLE runs_default ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE runs_default FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
-- Makes the partition of one UTC day; calling it again, or from several nodes at once, changes nothing.
CREATE FUNCTION make_run_partition(day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  partition text := 'runs_' || to_char(day, 'YYYYMMDD');
  lower timestamptz := day::timestamp AT TIME ZONE 'UTC';
BEGIN
  IF to_regclass(partition) IS NOT NULL THEN RETURN; END IF;
  PERFORM pg_advisory_xact_lock(hashtext('make_run_partition'));
  IF to_regclass(partition) IS NOT NULL THEN RETURN; END IF;
  EXECUTE format('CREATE TABLE %I PARTITION OF runs FOR VALUES FROM (%L) TO (%L)', partition, lower, lower + interval '1 day');
  EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', partition);
  EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', partition);
END $$;
--> statement-breakpoint
-- Drops the partition of one UTC day when no run in it is open; answers whether it is gone.
CREATE FUNCTION drop_run_partition(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  partition text := 'runs_' || to_char(day, 'YYYYMMDD');
  open_runs boolean;
BEGIN
  IF to_regclass(partition) IS NULL THEN RETURN true; END IF;
  EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', partition);
  EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', partition);
  EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE state IN (''PENDING'', ''RUNNING'', ''RETRYING''))', partition) INTO open_runs;
  IF open_runs THEN
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', partition);
    RETURN false;
  END IF;
  EXECUTE format('DROP TABLE %I', partition);
  RETURN true;
END $$;
--> statement-breakpoint
-- Whether a live claim names this slot: a run in flight that has no row yet. For one known key only; it lists nothing.
CREATE FUNCTION claim_of(of_schedule uuid, of_slot timestamptz, of_space integer) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT c.id FROM claims c
  WHERE EXISTS (SELECT FROM unnest(c.schedule_ids, c.slots, c.spaces) AS u(schedule_id, slot, space)
                WHERE u.schedule_id = of_schedule AND u.slot = of_slot AND u.space = of_space)
  LIMIT 1
$$;
--> statement-breakpoint
-- The newest migration the database has: what readiness compares with the build's own.
CREATE FUNCTION max_migration() RETURNS float8
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$ SELECT max(created_at)::float8 FROM drizzle.__drizzle_migrations $$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION max_migration(), make_run_partition(date), drop_run_partition(date), claim_of(uuid, timestamptz, integer) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION make_run_partition(date), drop_run_partition(date) TO scheduler_engine;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION max_migration(), claim_of(uuid, timestamptz, integer) TO scheduler_api, scheduler_engine;
--> statement-breakpoint
SELECT make_run_partition((now() AT TIME ZONE 'UTC')::date + step) FROM generate_series(-1, 2) AS step;
