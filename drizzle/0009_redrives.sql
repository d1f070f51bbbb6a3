CREATE TABLE "redrives" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"organization_id" text,
	"filter" jsonb NOT NULL,
	"rate_per_sec" integer NOT NULL,
	"state" text NOT NULL,
	"redriven" integer DEFAULT 0 NOT NULL,
	"cursor_slot" timestamp (3) with time zone,
	"cursor_schedule_id" uuid,
	"cursor_space" integer,
	"next_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"created_by" text NOT NULL,
	"ended_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE INDEX "redrives_next" ON "redrives" USING btree ("next_at") WHERE state = 'RUNNING';--> statement-breakpoint
CREATE INDEX "redrives_page" ON "redrives" USING btree ("tenant_id","created_at");
--> statement-breakpoint
ALTER TABLE redrives ADD CONSTRAINT redrives_state CHECK (state IN ('RUNNING', 'DONE', 'CANCELLED')),
  ADD CONSTRAINT redrives_ended CHECK ((state = 'RUNNING') = (ended_at IS NULL)),
  ADD CONSTRAINT redrives_counts CHECK (rate_per_sec >= 1 AND redriven >= 0);
--> statement-breakpoint
ALTER TABLE redrives ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE redrives FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY redrives_of_tenant ON redrives TO scheduler_api
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), ''))
  WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), ''));
--> statement-breakpoint
CREATE POLICY redrives_of_engine ON redrives TO scheduler_engine USING (true) WITH CHECK (true);
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON redrives TO scheduler_api, scheduler_engine;
