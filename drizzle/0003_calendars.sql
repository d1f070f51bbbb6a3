CREATE TABLE "calendars" (
	"tenant_id" text NOT NULL,
	"name" text NOT NULL,
	"description" text,
	"dates" jsonb NOT NULL,
	"ranges" jsonb NOT NULL,
	"weekly" jsonb NOT NULL,
	"ical" text,
	"ical_days" jsonb NOT NULL,
	"version" integer NOT NULL,
	"revision" integer NOT NULL,
	"is_fresh" boolean DEFAULT false NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"created_by" text NOT NULL,
	CONSTRAINT "calendars_tenant_id_name_pk" PRIMARY KEY("tenant_id","name")
);
--> statement-breakpoint
ALTER TABLE "schedule_versions" ADD COLUMN "calendars" jsonb;--> statement-breakpoint
ALTER TABLE "schedule_versions" ADD COLUMN "excluded" jsonb;--> statement-breakpoint
ALTER TABLE "schedules" ADD COLUMN "calendars" jsonb;--> statement-breakpoint
ALTER TABLE "schedules" ADD COLUMN "excluded" jsonb;--> statement-breakpoint
CREATE INDEX "calendars_fresh" ON "calendars" USING btree ("updated_at") WHERE is_fresh;--> statement-breakpoint
CREATE INDEX "schedules_calendars" ON "schedules" USING btree ("tenant_id","id") WHERE calendars is not null and deleted_at is null;--> statement-breakpoint
ALTER TABLE calendars ADD CONSTRAINT calendars_counts CHECK (version >= 1 AND revision >= 1 AND revision <= version);
--> statement-breakpoint
ALTER TABLE schedules ADD CONSTRAINT schedules_dated CHECK ((calendars IS NULL) = (excluded IS NULL));
--> statement-breakpoint
ALTER TABLE schedule_versions ADD CONSTRAINT schedule_versions_dated CHECK ((calendars IS NULL) = (excluded IS NULL));
--> statement-breakpoint
-- Other dates make another definition, not another version of the schedule.
ALTER TABLE schedules DROP CONSTRAINT schedules_counts;
--> statement-breakpoint
ALTER TABLE schedules ADD CONSTRAINT schedules_counts CHECK (version >= 1 AND definition_version >= 1 AND fires >= 0);
--> statement-breakpoint
-- A slot may be put ahead of its date.
ALTER TABLE timers DROP CONSTRAINT timers_due_after_slot;
--> statement-breakpoint
ALTER TABLE calendars ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE calendars FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY calendars_of_tenant ON calendars TO scheduler_api
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), ''))
  WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), ''));
--> statement-breakpoint
CREATE POLICY calendars_of_engine ON calendars TO scheduler_engine USING (true) WITH CHECK (true);
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON calendars TO scheduler_api, scheduler_engine;
