CREATE INDEX "runs_open" ON "runs" USING btree ("schedule_id","slot","space") WHERE state in ('PENDING', 'RUNNING', 'RETRYING');--> statement-breakpoint
CREATE INDEX "schedules_removed" ON "schedules" USING btree ("deleted_at") WHERE deleted_at is not null;--> statement-breakpoint
-- As before, but the parent is locked first, as every query does: the other way round deadlocks with it. What is open is asked of an index,
-- so that the lock is short.
CREATE OR REPLACE FUNCTION drop_run_partition(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  partition text := 'runs_' || to_char(day, 'YYYYMMDD');
  open_runs boolean;
BEGIN
  IF to_regclass(partition) IS NULL THEN RETURN true; END IF;
  LOCK TABLE ONLY runs IN ACCESS EXCLUSIVE MODE;
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
