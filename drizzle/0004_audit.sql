CREATE TABLE "audit_entries" (
	"tenant_id" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"id" uuid NOT NULL,
	"subject" text NOT NULL,
	"action" text NOT NULL,
	"kind" text NOT NULL,
	"resource_id" text NOT NULL,
	"organization_id" text,
	"before" jsonb,
	"after" jsonb,
	"trace_id" text,
	CONSTRAINT "audit_entries_tenant_id_at_id_pk" PRIMARY KEY("tenant_id","at","id")
);
--> statement-breakpoint
CREATE INDEX "audit_entries_resource" ON "audit_entries" USING btree ("tenant_id","kind","resource_id","at");--> statement-breakpoint
CREATE INDEX "audit_entries_age" ON "audit_entries" USING brin ("at");--> statement-breakpoint
ALTER TABLE audit_entries ADD CONSTRAINT audit_entries_kind CHECK (starts_with(action, kind || '.'));
--> statement-breakpoint
ALTER TABLE audit_entries ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE audit_entries FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY audit_entries_of_tenant ON audit_entries TO scheduler_api
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), ''))
  WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), ''));
--> statement-breakpoint
CREATE POLICY audit_entries_of_engine ON audit_entries TO scheduler_engine USING (true) WITH CHECK (true);
--> statement-breakpoint
-- Added to, never changed; what is past its time is taken away by the engine.
GRANT SELECT, INSERT ON audit_entries TO scheduler_api;
--> statement-breakpoint
GRANT SELECT, DELETE ON audit_entries TO scheduler_engine;
