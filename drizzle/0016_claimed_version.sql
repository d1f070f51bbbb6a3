-- The version of a schedule that a live claim keeps for this slot: a run in flight that has no row yet. For one known key only; it lists nothing.
CREATE FUNCTION claimed_version(of_schedule uuid, of_slot timestamptz, of_space integer) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT u.version FROM claims c, unnest(c.schedule_ids, c.slots, c.spaces, c.versions) AS u(schedule_id, slot, space, version)
  WHERE u.schedule_id = of_schedule AND u.slot = of_slot AND u.space = of_space
  LIMIT 1
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION claimed_version(uuid, timestamptz, integer) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION claimed_version(uuid, timestamptz, integer) TO scheduler_api, scheduler_engine;
