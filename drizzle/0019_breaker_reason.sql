-- A run that an open breaker put off says so. What lies in `runs` met the narrower rule, so nothing is looked through: the lock is for the catalogue
-- alone, and days made from here on have the rule as any other.
ALTER TABLE runs
  DROP CONSTRAINT runs_reason,
  ADD CONSTRAINT runs_reason CHECK (
    CASE WHEN state = 'RETRYING' THEN coalesce(reason, 'BREAKER') = 'BREAKER' ELSE (state IN ('SKIPPED', 'CANCELLED', 'DEAD')) = (reason IS NOT NULL) END
  ) NOT VALID;
