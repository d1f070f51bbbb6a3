CREATE TABLE "tenant_minutes" (
	"tenant_id" text PRIMARY KEY NOT NULL,
	"minute" timestamp (3) with time zone NOT NULL,
	"fires" integer NOT NULL
);
--> statement-breakpoint
ALTER TABLE tenant_minutes ADD CONSTRAINT tenant_minutes_fires CHECK (fires >= 0);
--> statement-breakpoint
ALTER TABLE tenant_minutes ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE tenant_minutes FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY tenant_minutes_of_tenant ON tenant_minutes TO scheduler_api
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), ''))
  WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), ''));
--> statement-breakpoint
CREATE POLICY tenant_minutes_of_engine ON tenant_minutes TO scheduler_engine USING (true) WITH CHECK (true);
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant_minutes TO scheduler_engine;
