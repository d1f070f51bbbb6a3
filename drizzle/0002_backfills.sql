CREATE TABLE "backfills" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"schedule_id" uuid NOT NULL,
	"version" integer NOT NULL,
	"cursor" timestamp (3) with time zone NOT NULL,
	"until" timestamp (3) with time zone NOT NULL,
	"remaining" integer NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"created_by" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "timers" ADD COLUMN "tzdata" text;--> statement-breakpoint
ALTER TABLE "timers" ADD COLUMN "skip_next" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "backfills_age" ON "backfills" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "backfills_schedule" ON "backfills" USING btree ("schedule_id");--> statement-breakpoint
ALTER TABLE backfills ADD CONSTRAINT backfills_remaining CHECK (remaining >= 0);
--> statement-breakpoint
ALTER TABLE backfills ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE backfills FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY backfills_of_tenant ON backfills TO scheduler_api
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), ''))
  WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), ''));
--> statement-breakpoint
CREATE POLICY backfills_of_engine ON backfills TO scheduler_engine USING (true) WITH CHECK (true);
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON backfills TO scheduler_api, scheduler_engine;
