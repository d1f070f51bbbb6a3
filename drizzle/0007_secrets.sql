CREATE TABLE "secrets" (
	"tenant_id" text NOT NULL,
	"name" text NOT NULL,
	"sealed" text NOT NULL,
	"key_id" text NOT NULL,
	"version" integer NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"created_by" text NOT NULL,
	"updated_by" text NOT NULL,
	CONSTRAINT "secrets_tenant_id_name_pk" PRIMARY KEY("tenant_id","name")
);
--> statement-breakpoint
CREATE INDEX "secrets_key" ON "secrets" USING btree ("key_id");--> statement-breakpoint
CREATE INDEX "schedules_secrets" ON "schedules" USING btree ("tenant_id","id") WHERE position('{{secret:' in target#>>'{http,headers}') > 0 and deleted_at is null;
--> statement-breakpoint
ALTER TABLE secrets ADD CONSTRAINT secrets_version CHECK (version >= 1);
--> statement-breakpoint
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE secrets FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY secrets_of_tenant ON secrets TO scheduler_api
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), ''))
  WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), ''));
--> statement-breakpoint
CREATE POLICY secrets_of_engine ON secrets TO scheduler_engine USING (true) WITH CHECK (true);
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON secrets TO scheduler_api;
--> statement-breakpoint
-- To open them for deliveries, and to seal them again.
GRANT SELECT, UPDATE ON secrets TO scheduler_engine;
