ALTER TABLE "schedule_versions" ADD COLUMN "superseded_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "schedule_versions_superseded" ON "schedule_versions" USING btree ("superseded_at") WHERE superseded_at is not null;--> statement-breakpoint
-- The one column of a version that the API changes: when another took its place.
GRANT UPDATE (superseded_at) ON schedule_versions TO scheduler_api;
--> statement-breakpoint
ALTER TABLE schedules NO FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE schedule_versions NO FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
UPDATE schedule_versions v SET superseded_at = now() FROM schedules s WHERE s.id = v.schedule_id AND v.version < s.definition_version;
--> statement-breakpoint
ALTER TABLE schedules FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE schedule_versions FORCE ROW LEVEL SECURITY;
