CREATE TABLE "claims" (
	"id" uuid PRIMARY KEY NOT NULL,
	"owner" uuid NOT NULL,
	"fence" integer NOT NULL,
	"lease_until" timestamp (3) with time zone NOT NULL,
	"recoveries" smallint DEFAULT 0 NOT NULL,
	"schedule_ids" uuid[] NOT NULL,
	"slots" timestamp (3) with time zone[] NOT NULL,
	"spaces" integer[] NOT NULL,
	"versions" integer[] NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"tenant_id" text NOT NULL,
	"key" text NOT NULL,
	"request_hash" text NOT NULL,
	"schedule_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "idempotency_keys_tenant_id_key_pk" PRIMARY KEY("tenant_id","key")
);
--> statement-breakpoint
CREATE TABLE "nodes" (
	"id" uuid PRIMARY KEY NOT NULL,
	"build" text NOT NULL,
	"tzdata" text NOT NULL,
	"roles" text[] NOT NULL,
	"commands" text[] NOT NULL,
	"heartbeat" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "retries" (
	"schedule_id" uuid NOT NULL,
	"slot" timestamp (3) with time zone NOT NULL,
	"space" integer NOT NULL,
	"tenant_id" text NOT NULL,
	"version" integer NOT NULL,
	"lane" smallint NOT NULL,
	"next_due" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "retries_schedule_id_slot_space_pk" PRIMARY KEY("schedule_id","slot","space")
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
--> statement-breakpoint
CREATE TABLE "runs" (
	"schedule_id" uuid NOT NULL,
	"slot" timestamp (3) with time zone NOT NULL,
	"space" integer NOT NULL,
	"tenant_id" text NOT NULL,
	"version" integer NOT NULL,
	"state" text NOT NULL,
	"reason" text,
	"cause" text NOT NULL,
	"range" jsonb,
	"attempts" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"payload" jsonb,
	"due" timestamp (3) with time zone NOT NULL,
	"started_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	"next_attempt_at" timestamp (3) with time zone,
	"claim_id" uuid,
	CONSTRAINT "runs_schedule_id_slot_space_pk" PRIMARY KEY("schedule_id","slot","space")
) PARTITION BY RANGE ("slot");
--> statement-breakpoint
CREATE TABLE "schedule_versions" (
	"tenant_id" text NOT NULL,
	"schedule_id" uuid NOT NULL,
	"version" integer NOT NULL,
	"tz" text NOT NULL,
	"trigger" jsonb NOT NULL,
	"target" jsonb NOT NULL,
	"payload" jsonb,
	"start_at" timestamp (3) with time zone,
	"end_at" timestamp (3) with time zone,
	"max_fires" integer,
	"jitter" text,
	"dst" jsonb NOT NULL,
	"overlap_policy" text NOT NULL,
	"misfire" jsonb NOT NULL,
	"retry" jsonb NOT NULL,
	"timeout_sec" integer NOT NULL,
	"pause_on_failures" integer,
	"on_completion" text NOT NULL,
	CONSTRAINT "schedule_versions_schedule_id_version_pk" PRIMARY KEY("schedule_id","version")
);
--> statement-breakpoint
CREATE TABLE "schedules" (
	"tenant_id" text NOT NULL,
	"id" uuid NOT NULL,
	"key" text,
	"name" text NOT NULL,
	"description" text,
	"labels" jsonb NOT NULL,
	"scope" text NOT NULL,
	"organization_id" text,
	"tz" text NOT NULL,
	"trigger" jsonb NOT NULL,
	"target" jsonb NOT NULL,
	"payload" jsonb,
	"start_at" timestamp (3) with time zone,
	"end_at" timestamp (3) with time zone,
	"max_fires" integer,
	"jitter" text,
	"dst" jsonb NOT NULL,
	"overlap_policy" text NOT NULL,
	"misfire" jsonb NOT NULL,
	"retry" jsonb NOT NULL,
	"timeout_sec" integer NOT NULL,
	"pause_on_failures" integer,
	"on_completion" text NOT NULL,
	"state" text NOT NULL,
	"state_reason" text,
	"pause" jsonb,
	"version" integer NOT NULL,
	"definition_version" integer NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"created_by" text NOT NULL,
	"deleted_at" timestamp (3) with time zone,
	"slot" timestamp (3) with time zone,
	"due" timestamp (3) with time zone,
	"cursor" timestamp (3) with time zone,
	"last_fired" timestamp (3) with time zone,
	"fires" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "schedules_id_pk" PRIMARY KEY("id")
);
--> statement-breakpoint
CREATE TABLE "tenants" (
	"tenant_id" text PRIMARY KEY NOT NULL,
	"signing_keys" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "timers" (
	"schedule_id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"next_due" timestamp (3) with time zone NOT NULL,
	"slot" timestamp (3) with time zone NOT NULL,
	"cursor" timestamp (3) with time zone NOT NULL,
	"last_fired" timestamp (3) with time zone,
	"fires" bigint DEFAULT 0 NOT NULL,
	"version" integer NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
--> statement-breakpoint
CREATE INDEX "claims_lease" ON "claims" USING btree ("lease_until");--> statement-breakpoint
CREATE INDEX "idempotency_keys_age" ON "idempotency_keys" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "retries_due" ON "retries" USING btree ("next_due");--> statement-breakpoint
CREATE INDEX "runs_page" ON "runs" USING btree ("tenant_id","slot");--> statement-breakpoint
CREATE INDEX "runs_dead" ON "runs" USING btree ("tenant_id","slot") WHERE state = 'DEAD';--> statement-breakpoint
CREATE UNIQUE INDEX "schedules_key" ON "schedules" USING btree ("tenant_id","key") WHERE deleted_at is null;--> statement-breakpoint
CREATE INDEX "schedules_page" ON "schedules" USING btree ("tenant_id","created_at","id") WHERE deleted_at is null;--> statement-breakpoint
CREATE INDEX "schedules_auto_resume" ON "schedules" USING btree (((pause->>'resumeAt'))) WHERE state = 'PAUSED' and deleted_at is null;--> statement-breakpoint
CREATE INDEX "timers_due" ON "timers" USING btree ("next_due");