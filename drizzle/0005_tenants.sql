ALTER TABLE "tenants" ADD COLUMN "name" text;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "state" text DEFAULT 'ACTIVE' NOT NULL;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "defaults" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "quotas" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "suspension" jsonb;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "missed" text DEFAULT 'SKIP' NOT NULL;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "is_settled" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
CREATE INDEX "schedules_suspended" ON "schedules" USING btree ("tenant_id","id") WHERE state_reason = 'TENANT_SUSPENDED';--> statement-breakpoint
CREATE INDEX "schedules_deleted" ON "schedules" USING btree ("tenant_id","id") WHERE deleted_at is not null;--> statement-breakpoint
CREATE INDEX "tenants_page" ON "tenants" USING btree (tenant_id collate "C");--> statement-breakpoint
CREATE INDEX "tenants_inactive" ON "tenants" USING btree ("tenant_id") WHERE state <> 'ACTIVE';--> statement-breakpoint
CREATE INDEX "tenants_unsettled" ON "tenants" USING btree ("updated_at") WHERE not is_settled;--> statement-breakpoint
ALTER TABLE tenants
  ADD CONSTRAINT tenants_state CHECK (state IN ('ACTIVE', 'SUSPENDED', 'DELETING')),
  ADD CONSTRAINT tenants_suspended CHECK (state <> 'SUSPENDED' OR suspension IS NOT NULL),
  ADD CONSTRAINT tenants_missed CHECK (missed IN ('SKIP', 'FIRE_ONCE', 'FIRE_ALL')),
  ADD CONSTRAINT tenants_version CHECK (version >= 1);
