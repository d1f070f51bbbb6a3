export interface paths {
    "/schedules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List schedules, by page or by cursor
         * @description By cursor, a list is at its end when nextCursor is null: with a filter, a page looks at 1,000 schedules at most, so that it may be short, or empty, before the end. By page, everything before the page is read.
         */
        get: operations["listSchedules"];
        put?: never;
        /** Create a schedule */
        post: operations["createSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schedules/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a schedule */
        get: operations["getSchedule"];
        /**
         * Replace a schedule
         * @description Fields left out get their defaults; `enabled` left out keeps the state. No change makes no new version.
         */
        put: operations["replaceSchedule"];
        post?: never;
        /**
         * Delete a schedule
         * @description Its pending runs end as CANCELLED; its history is kept until retention.
         */
        delete: operations["deleteSchedule"];
        options?: never;
        head?: never;
        /**
         * Change some fields of a schedule
         * @description JSON Merge Patch. `enabled: false` is a pause without note, `enabled: true` a resume that skips what was missed.
         */
        patch: operations["patchSchedule"];
        trace?: never;
    };
    "/schedules/by-key/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Create the schedule with this key, or replace it
         * @description Safe at the start of every replica: one schedule results, and no change makes no new version. A `/` in the key is written `%2F`.
         */
        put: operations["upsertScheduleByKey"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schedules/{id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pause a schedule
         * @description No slot becomes a run until it is resumed, at `resumeAt` by itself. Only an ACTIVE schedule can be paused.
         */
        post: operations["pauseSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schedules/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resume a schedule
         * @description Only a PAUSED or DISABLED schedule can be resumed. `missed` decides on the slots that passed meanwhile.
         */
        post: operations["resumeSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schedules/{id}/skip-next": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Let the next slot pass
         * @description It becomes no run; its record is SKIPPED with reason BY_USER once it passes. A pause forgets the mark.
         */
        post: operations["skipNextSlot"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schedules/{id}/trigger": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Run a schedule now, beside its slots */
        post: operations["triggerSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schedules/{id}/upcoming": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The next slots of a schedule */
        get: operations["listUpcomingSlots"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schedules/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The slots that an unsaved schedule would have */
        post: operations["previewSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schedules/bulk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Create, replace, delete, pause and resume many schedules at once
         * @description Up to 1,000 items in one transaction. Each is answered for itself, as its single route would; a refused one changes nothing. With `atomic` all items happen or none: then the answer is the problem of the first refused item, with the places of all. No two items may name the same schedule.
         */
        post: operations["bulkSchedules"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schedules/{id}/backfills": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run past slots again
         * @description Every slot in the range that has no run, or only a skipped record, becomes a run with cause BACKFILL, behind live runs and at a limited rate. Those that passed in a pause are left to its end, which decides on them.
         */
        post: operations["createBackfill"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/calendars": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List calendars by name */
        get: operations["listCalendars"];
        put?: never;
        /**
         * Create a calendar
         * @description Dates, ranges, weekdays and the days of an iCalendar object together. A date is local to each schedule.
         */
        post: operations["createCalendar"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/calendars/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a calendar */
        get: operations["getCalendar"];
        /**
         * Replace a calendar
         * @description Fields left out get their defaults, `ical` too. Schedules that name the calendar follow within seconds: slots that are due by then keep their fate, later ones have the new dates.
         */
        put: operations["replaceCalendar"];
        post?: never;
        /**
         * Delete a calendar
         * @description Only one that no schedule names.
         */
        delete: operations["deleteCalendar"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List runs, newest slot first
         * @description A list is at its end when nextCursor is null: a page looks at a bounded number of runs, so that it may be short, or empty, before the end.
         */
        get: operations["listRuns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schedules/{id}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the runs of a schedule, newest slot first
         * @description A list is at its end when nextCursor is null: a page looks at a bounded number of runs, so that it may be short, or empty, before the end.
         */
        get: operations["listScheduleRuns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dead-letters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List dead runs, newest slot first
         * @description Runs whose attempts are used up, or that met an answer that is final. They are kept until retried or past retention. A list is at its end when nextCursor is null: a page looks at a bounded number of runs, so that it may be short, or empty, before the end.
         */
        get: operations["listDeadLetters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a run */
        get: operations["getRun"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Try a dead run again, or a retrying one now */
        post: operations["retryRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Cancel a run that has not ended */
        post: operations["cancelRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dead-letters/redrive": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Try many dead runs again, at a rate
         * @description Each run that is dead by now is put back once, as its retry does, oldest slot first and behind live runs. Runs of deleted schedules stay dead.
         */
        post: operations["redriveDeadLetters"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dead-letters/redrives": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List redrives, the newest hundred */
        get: operations["listRedrives"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dead-letters/redrives/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** See how far a redrive is */
        get: operations["getRedrive"];
        put?: never;
        post?: never;
        /**
         * Stop a redrive
         * @description No further run is put back; those that were stay so.
         */
        delete: operations["cancelRedrive"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/secrets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List secrets by name, without their values */
        get: operations["listSecrets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/secrets/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read what is known of a secret, without its value */
        get: operations["getSecret"];
        /**
         * Create a secret or give it a new value
         * @description The value is stored sealed and never answered. Deliveries take a new one over within ten seconds. HTTP header values refer to it: Bearer {{secret:NAME}}
         */
        put: operations["putSecret"];
        post?: never;
        /**
         * Delete a secret
         * @description Only one that no schedule names. To withdraw a value at once, give the secret another.
         */
        delete: operations["deleteSecret"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenant/signing-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the live signing keys, newest first, without the keys themselves */
        get: operations["listSigningKeys"];
        put?: never;
        /**
         * Make a signing key, or begin a rotation
         * @description Deliveries carry a signature for each live key: the new one and the one before it. An older one is gone. The key is shown this once.
         */
        post: operations["createSigningKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenant/signing-keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete a signing key, or end a rotation
         * @description It signs no more within half a minute. Without any key deliveries carry no signature.
         */
        delete: operations["deleteSigningKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List who changed what, newest first
         * @description Every change that a request made, with the fields that differ before and after it. Values of headers and secrets are masked; fields longer than 2,048 characters are left out. With a filter a page looks at 1,000 entries at most, so that it may be short, or empty, before the end, where nextCursor is null.
         */
        get: operations["listAuditEntries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenant": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read the tenant of this request */
        get: operations["getTenant"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change the name or the defaults of the tenant of this request
         * @description Every process follows within five seconds. Defaults count for what is created or replaced from then on.
         */
        patch: operations["patchTenant"];
        trace?: never;
    };
    "/tenants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List tenants by id
         * @description All that were made, or that began with their first change of something.
         */
        get: operations["listTenants"];
        put?: never;
        /** Create a tenant ahead of its first use */
        post: operations["createTenant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a tenant */
        get: operations["getTenantById"];
        put?: never;
        post?: never;
        /**
         * Delete a tenant with all its data
         * @description Nothing of it fires from then on. Its data goes within minutes, the audit trail too, and last the tenant itself; there is no way back.
         */
        delete: operations["deleteTenant"];
        options?: never;
        head?: never;
        /**
         * Change the name, the defaults or the quotas of a tenant
         * @description Every process follows within five seconds. What exists already is not measured against new quotas.
         */
        patch: operations["patchTenantById"];
        trace?: never;
    };
    "/tenants/{id}/suspend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Suspend a tenant
         * @description Nothing of it fires from then on, retries and manual runs included; what is in flight finishes. It may read, pause, cancel and delete. Its ACTIVE schedules become PAUSED, chunk by chunk.
         */
        post: operations["suspendTenant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Let a suspended tenant go on
         * @description Schedules that the suspension paused are ACTIVE again within seconds, many of them chunk by chunk; those that people had paused stay so. Waiting runs are due when they were to be, or now.
         */
        post: operations["resumeTenant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process is alive */
        get: operations["getLiveness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether this process can do its work now */
        get: operations["getReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How each component is */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document */
        get: operations["getOpenApi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Attempt: {
            number: number;
            startedAt: string;
            endedAt: string;
            /** @enum {string} */
            outcome: "ACCEPTED" | "HTTP_STATUS" | "TIMEOUT" | "NETWORK" | "EGRESS_DENIED" | "REFUSED" | "FAILED" | "ABORTED";
            httpStatus?: number;
            error?: string;
            responseSnippet?: string;
            /** @description The request may have reached the target although no answer came */
            possibleDuplicate?: boolean;
        };
        AuditEntry: {
            id: string;
            /** Format: date-time */
            at: string;
            subject: string;
            /** @description What was done to what kind of thing */
            action: string;
            /** @description The kind and the id of the thing */
            resource: string;
            /** @description The fields that changed, as they were; null where there was nothing */
            before: {
                [key: string]: unknown;
            } | null;
            /** @description The same fields, as they are; null where nothing is left */
            after: {
                [key: string]: unknown;
            } | null;
            traceId: string | null;
        };
        AuditPage: {
            items: components["schemas"]["AuditEntry"][];
            nextCursor: string | null;
        };
        Backfill: {
            id: string;
            scheduleId: string;
            /** Format: date-time */
            from: string;
            /** Format: date-time */
            to: string;
            /** @description Slots in the range; those that have a run are passed over */
            count: number;
            /** Format: date-time */
            createdAt: string;
        };
        BackfillBody: {
            /** @description Must be the request's tenant */
            tenantId?: string;
            /**
             * Format: date-time
             * @description Inclusive
             */
            from: string;
            /**
             * Format: date-time
             * @description Inclusive; what has not passed yet is left to the schedule
             */
            to: string;
            /**
             * @description Refuse the request when the range holds more slots
             * @default 1000
             */
            limit?: number;
        };
        BulkAnswer: {
            succeeded: number;
            refused: number;
            items: {
                index: number;
                /** @description What the item's single route would answer */
                status: number;
                /** @enum {string} */
                result: "CREATED" | "REPLACED" | "UNCHANGED" | "DELETED" | "PAUSED" | "RESUMED" | "REFUSED";
                id: string | null;
                key: string | null;
                version: number | null;
                /** @description Its paths start at the body: items.3.schedule.trigger */
                problem: components["schemas"]["Problem"] | null;
            }[];
        };
        BulkBody: {
            /** @description Must be the request's tenant */
            tenantId?: string;
            /**
             * @description All items or none
             * @default false
             */
            atomic?: boolean;
            items: components["schemas"]["BulkItem"][];
        };
        BulkItem: {
            /** @constant */
            op: "CREATE";
            schedule: components["schemas"]["ScheduleBody"];
        } | {
            /** @constant */
            op: "UPSERT";
            /** @description Its key says which */
            schedule: components["schemas"]["ScheduleBody"];
            /**
             * @description The version the change is based on
             * @default null
             */
            ifMatch?: number | null;
        } | {
            /** @constant */
            op: "DELETE";
            /** Format: uuid */
            id?: string;
            key?: string;
            /**
             * @description The version the change is based on
             * @default null
             */
            ifMatch?: number | null;
        } | {
            /** @constant */
            op: "PAUSE";
            /** Format: uuid */
            id?: string;
            key?: string;
            /**
             * @description The version the change is based on
             * @default null
             */
            ifMatch?: number | null;
            /** @default null */
            note?: string | null;
            resumeAt?: string | null;
        } | {
            /** @constant */
            op: "RESUME";
            /** Format: uuid */
            id?: string;
            key?: string;
            /**
             * @description The version the change is based on
             * @default null
             */
            ifMatch?: number | null;
            /**
             * @default SKIP
             * @enum {string}
             */
            missed?: "SKIP" | "FIRE_ONCE" | "FIRE_ALL";
        };
        Calendar: {
            name: string;
            tenantId: string;
            description: string | null;
            dates: string[];
            ranges: {
                from: string;
                to: string;
            }[];
            weekly: ("MO" | "TU" | "WE" | "TH" | "FR" | "SA" | "SU")[];
            /** @description How many days the ical text holds; the text itself is not answered */
            icalDays: number;
            /** @description Grows with every change; the ETag */
            version: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            createdBy: string;
        };
        CalendarBody: {
            name: string;
            /** @description Must be the request's tenant */
            tenantId?: string;
            /** @default null */
            description?: string | null;
            /** @default [] */
            dates?: string[];
            /**
             * @description Both ends inclusive
             * @default []
             */
            ranges?: {
                /** Format: date */
                from: string;
                /** Format: date */
                to: string;
            }[];
            /** @default [] */
            weekly?: ("MO" | "TU" | "WE" | "TH" | "FR" | "SA" | "SU")[];
            /**
             * @description An iCalendar object of at most 512 KiB and 10,000 events: each day that a VEVENT touches, its RRULE expanded to 2099
             * @default null
             */
            ical?: string | null;
        };
        CalendarContents: {
            name?: string;
            /** @description Must be the request's tenant */
            tenantId?: string;
            /** @default null */
            description?: string | null;
            /** @default [] */
            dates?: string[];
            /**
             * @description Both ends inclusive
             * @default []
             */
            ranges?: {
                /** Format: date */
                from: string;
                /** Format: date */
                to: string;
            }[];
            /** @default [] */
            weekly?: ("MO" | "TU" | "WE" | "TH" | "FR" | "SA" | "SU")[];
            /**
             * @description An iCalendar object of at most 512 KiB and 10,000 events: each day that a VEVENT touches, its RRULE expanded to 2099
             * @default null
             */
            ical?: string | null;
        };
        CalendarPage: {
            items: components["schemas"]["Calendar"][];
            nextCursor: string | null;
        };
        CalendarPolicy: {
            /** @description Names of calendars; a slot on one of their dates, local to tz, is excluded */
            exclude: string[];
            /**
             * @description SKIP: no run. Else the run is due at the same local time on the following or preceding date that is not excluded; MODIFIED_FOLLOWING follows within the month, else precedes
             * @default SKIP
             * @enum {string}
             */
            onExcluded?: "SKIP" | "FOLLOWING" | "PRECEDING" | "MODIFIED_FOLLOWING";
        };
        HealthReport: {
            /** @enum {string} */
            status: "ok" | "degraded" | "down";
            build: string;
            version: string;
            /** @description Version of the time zone data */
            tzdata: string;
            components: {
                [key: string]: {
                    /** @enum {string} */
                    status: "ok" | "degraded" | "down";
                    latencyMs: number | null;
                    detail: string | null;
                };
            };
        };
        NewSigningKey: {
            id: string;
            /** @description Of the key that seals it */
            keyId: string;
            /** Format: date-time */
            createdAt: string;
            /** @description whsec_ and base64; shown this once */
            key: string;
        };
        NoBody: {
            /** @description Must be the request's tenant */
            tenantId?: string;
        };
        PauseBody: {
            /** @default null */
            note?: string | null;
            resumeAt?: string | null;
            /** @description Must be the request's tenant */
            tenantId?: string;
        };
        /** @description As TenantPatch, with quotas. */
        PlatformTenantPatch: {
            /** @description Must be the request's tenant */
            tenantId?: string;
            name?: string | null;
            defaults?: {
                tz?: number | string | null;
                retry?: {
                    maxAttempts?: number | string | null;
                    initialDelaySec?: number | string | null;
                    backoffCoefficient?: number | string | null;
                    maxDelaySec?: number | string | null;
                    jitter?: number | string | null;
                    maxAgeSec?: number | string | null;
                } | null;
                retentionDays?: number | string | null;
            } | null;
            quotas?: {
                schedules?: number | string | null;
                firesPerMinute?: number | string | null;
                concurrentDeliveries?: number | string | null;
                payloadBytes?: number | string | null;
                minIntervalSec?: number | string | null;
                requestsPerSec?: number | string | null;
                requestBurst?: number | string | null;
            } | null;
        };
        PreviewBody: {
            /** @description Must be the request's tenant */
            tenantId?: string;
            /** @description IANA time zone */
            tz?: string;
            trigger: components["schemas"]["Trigger"];
            /** @default {} */
            dst?: {
                /** @enum {string} */
                gap?: "NEXT_VALID" | "SHIFT" | "SKIP";
                /** @enum {string} */
                fold?: "FIRST" | "SECOND" | "BOTH";
            };
            /** @default null */
            calendars?: components["schemas"]["CalendarPolicy"] | null;
            /** @default null */
            jitter?: string | null;
            startAt?: string | null;
            endAt?: string | null;
            /** Format: date-time */
            from?: string;
            /** @default 10 */
            count?: number;
        };
        Problem: {
            type: string;
            title: string;
            status: number;
            detail?: string;
            /** @enum {string} */
            code: "VALIDATION_FAILED" | "INVALID_TRIGGER" | "UNAUTHENTICATED" | "PERMISSION_DENIED" | "TENANT_FORBIDDEN" | "TENANT_SUSPENDED" | "QUOTA_EXCEEDED" | "NOT_FOUND" | "METHOD_NOT_ALLOWED" | "REQUEST_TIMEOUT" | "ALREADY_EXISTS" | "CONFLICT" | "PRECONDITION_FAILED" | "PAYLOAD_TOO_LARGE" | "UNSUPPORTED_MEDIA_TYPE" | "TRIGGER_NEVER_FIRES" | "UNKNOWN_COMMAND" | "UNKNOWN_SECRET" | "SECRETS_NOT_CONFIGURED" | "TARGET_NOT_ALLOWED" | "BACKFILL_TOO_LARGE" | "IDEMPOTENCY_MISMATCH" | "RATE_LIMITED" | "HEADERS_TOO_LARGE" | "INTERNAL" | "UNAVAILABLE";
            errors?: {
                path: string;
                message: string;
            }[];
            traceId: string;
        };
        Redrive: {
            id: string;
            /** @enum {string} */
            state: "RUNNING" | "DONE" | "CANCELLED";
            ratePerSec: number;
            /** @description Runs put back so far */
            redriven: number;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            endedAt: string | null;
        };
        RedriveBody: {
            /** @description Must be the request's tenant */
            tenantId?: string;
            /** @description Runs, by id; those that are not dead are passed over */
            ids?: string[];
            /** @description Or all dead runs that fit; {} is all there are */
            filter?: {
                scheduleId?: string;
                /** @enum {string} */
                cause?: "SCHEDULE" | "CATCH_UP" | "MANUAL" | "BACKFILL" | "WORKFLOW";
                /**
                 * Format: date-time
                 * @description Of the slot, inclusive
                 */
                from?: string;
                /**
                 * Format: date-time
                 * @description Of the slot, exclusive
                 */
                to?: string;
            };
            /**
             * @description Runs put back a second, over all nodes
             * @default 50
             */
            ratePerSec?: number;
        };
        RedriveList: {
            items: components["schemas"]["Redrive"][];
        };
        ResumeBody: {
            /**
             * @description What becomes of slots that passed meanwhile
             * @default SKIP
             * @enum {string}
             */
            missed?: "SKIP" | "FIRE_ONCE" | "FIRE_ALL";
            /** @description Must be the request's tenant */
            tenantId?: string;
        };
        ResumeTenantBody: {
            /**
             * @description What becomes of slots that passed meanwhile
             * @default SKIP
             * @enum {string}
             */
            missed?: "SKIP" | "FIRE_ONCE" | "FIRE_ALL";
            /** @description Must be the request's tenant */
            tenantId?: string;
        };
        Run: {
            /** @description Deterministic from schedule and slot: the same over every retry */
            id: string;
            scheduleId: string;
            tenantId: string;
            /** @enum {string} */
            cause: "SCHEDULE" | "CATCH_UP" | "MANUAL" | "BACKFILL" | "WORKFLOW";
            /**
             * Format: date-time
             * @description The nominal slot
             */
            scheduledFor: string;
            /** @enum {string} */
            state: "PENDING" | "RUNNING" | "RETRYING" | "SUCCEEDED" | "CANCELLED" | "SKIPPED" | "DEAD";
            /** @description Why it was SKIPPED, CANCELLED or is DEAD. BREAKER while it is RETRYING: its destination does not answer, so that its attempt was put off */
            reason: ("OVERLAP" | "MISFIRE" | "PAUSED" | "CALENDAR" | "QUOTA" | "BY_USER" | "DELETED" | "EXHAUSTED" | "REFUSED" | "GONE" | "MAX_AGE" | "EGRESS" | "POISON" | "BREAKER") | null;
            /** @description Of a SKIPPED stretch */
            range: {
                from: string;
                to: string;
                count: number | null;
            } | null;
            attempts: components["schemas"]["Attempt"][];
            /** @description From due to the first attempt */
            latenessMs: number | null;
            durationMs: number | null;
            startedAt: string | null;
            endedAt: string | null;
            nextAttemptAt: string | null;
            traceId: string;
            scheduleVersion: number;
        };
        RunPage: {
            items: components["schemas"]["Run"][];
            nextCursor: string | null;
        };
        Schedule: {
            id: string;
            tenantId: string;
            name: string;
            key: string | null;
            description: string | null;
            labels: {
                [key: string]: string;
            };
            /** @enum {string} */
            scope: "SYSTEM" | "TENANT" | "ORGANIZATION";
            organizationId: string | null;
            tz: string;
            trigger: components["schemas"]["Trigger"];
            target: components["schemas"]["TargetShown"];
            payload: unknown;
            enabled: boolean;
            /** @enum {string} */
            state: "ACTIVE" | "PAUSED" | "DISABLED" | "COMPLETED";
            /** @description Why the service, and no person, left the schedule in its state, such as a target that answered 410; else null */
            stateReason: string | null;
            pause: {
                note: string | null;
                by: string;
                at: string;
                resumeAt: string | null;
            } | null;
            startAt: string | null;
            endAt: string | null;
            maxFires: number | null;
            jitter: string | null;
            dst: {
                /** @enum {string} */
                gap?: "NEXT_VALID" | "SHIFT" | "SKIP";
                /** @enum {string} */
                fold?: "FIRST" | "SECOND" | "BOTH";
            };
            calendars: {
                exclude: string[];
                /** @enum {string} */
                onExcluded: "SKIP" | "FOLLOWING" | "PRECEDING" | "MODIFIED_FOLLOWING";
            } | null;
            /** @enum {string} */
            overlapPolicy: "SKIP" | "BUFFER_ONE" | "BUFFER_ALL" | "CANCEL_OTHER" | "ALLOW_ALL";
            misfire: {
                /** @enum {string} */
                policy: "SKIP" | "FIRE_ONCE" | "FIRE_ALL";
                thresholdSec: number;
                windowSec: number;
            };
            retry: {
                maxAttempts: number;
                initialDelaySec: number;
                backoffCoefficient: number;
                maxDelaySec: number;
                jitter: number;
                maxAgeSec: number;
            };
            timeoutSec: number;
            pauseOnFailures: number | null;
            /** @enum {string} */
            onCompletion: "KEEP" | "DELETE";
            /** @description The next slot that becomes a run, where its calendar puts it; null unless ACTIVE, and while a run must end first */
            nextFireAt: string | null;
            lastFireAt: string | null;
            fireCount: number;
            /** @description Grows with every change; the ETag */
            version: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            createdBy: string;
        };
        ScheduleBody: {
            /** @description Must be the request's tenant */
            tenantId?: string;
            name: string;
            /** @default null */
            key?: string | null;
            /** @default null */
            description?: string | null;
            /** @default {} */
            labels?: {
                [key: string]: string;
            };
            /**
             * @description Default: ORGANIZATION with an organizationId or a token of an organization, else TENANT
             * @enum {string}
             */
            scope?: "SYSTEM" | "TENANT" | "ORGANIZATION";
            /** @default null */
            organizationId?: string | null;
            /** @description Left out: a create begins active, a replace keeps the state */
            enabled?: boolean;
            /** @description IANA time zone */
            tz?: string;
            trigger: components["schemas"]["Trigger"];
            /** @default {} */
            dst?: {
                /** @enum {string} */
                gap?: "NEXT_VALID" | "SHIFT" | "SKIP";
                /** @enum {string} */
                fold?: "FIRST" | "SECOND" | "BOTH";
            };
            /** @default null */
            calendars?: components["schemas"]["CalendarPolicy"] | null;
            /** @default null */
            jitter?: string | null;
            startAt?: string | null;
            endAt?: string | null;
            target: components["schemas"]["Target"];
            /**
             * @description Any JSON up to the tenant’s payloadBytes
             * @default null
             */
            payload?: unknown;
            /** @default null */
            maxFires?: number | null;
            /**
             * @default SKIP
             * @enum {string}
             */
            overlapPolicy?: "SKIP" | "BUFFER_ONE" | "BUFFER_ALL" | "CANCEL_OTHER" | "ALLOW_ALL";
            /** @default {} */
            misfire?: {
                /**
                 * @default FIRE_ONCE
                 * @enum {string}
                 */
                policy?: "SKIP" | "FIRE_ONCE" | "FIRE_ALL";
                /** @default 60 */
                thresholdSec?: number;
                /** @default 86400 */
                windowSec?: number;
            };
            /** @default {} */
            retry?: {
                /** @description Counts the first try */
                maxAttempts?: number;
                initialDelaySec?: number;
                backoffCoefficient?: number;
                maxDelaySec?: number;
                /** @description The share of a delay that chance may take away */
                jitter?: number;
                maxAgeSec?: number;
            };
            /**
             * @description Per attempt
             * @default 30
             */
            timeoutSec?: number;
            /**
             * @description DISABLED after so many dead runs in a row
             * @default null
             */
            pauseOnFailures?: number | null;
            /**
             * @default KEEP
             * @enum {string}
             */
            onCompletion?: "KEEP" | "DELETE";
        };
        SchedulePage: {
            items: components["schemas"]["Schedule"][];
            nextCursor: string | null;
            page?: number;
            pageSize?: number;
            total?: number;
        };
        /** @description JSON Merge Patch (RFC 7396): fields left out stay, null resets. A trigger of another type, or a target of another kind, replaces the old one whole. */
        SchedulePatch: {
            tenantId?: string;
            name?: string | null;
            key?: string | null;
            description?: string | null;
            labels?: {
                [key: string]: string | null;
            } | null;
            scope?: ("SYSTEM" | "TENANT" | "ORGANIZATION") | null;
            organizationId?: string | null;
            tz?: string | null;
            trigger?: {
                /** @enum {string} */
                type?: "CRON" | "RRULE" | "INTERVAL" | "FIXED_DELAY" | "ONE_SHOT";
                cron?: string | null;
                rrule?: string | null;
                dtstart?: string | null;
                exdates?: string[] | null;
                rdates?: string[] | null;
                every?: string | null;
                anchor?: string | null;
                repeat?: number | null;
                iso8601?: string | null;
                delaySec?: number | null;
                startAt?: string | null;
            } | null;
            target?: {
                /** @enum {string} */
                kind?: "HTTP" | "EVENT" | "QUEUE" | "COMMAND";
                http?: {
                    url?: string | null;
                    method?: string | null;
                    headers?: {
                        [key: string]: string | null;
                    } | null;
                    body?: unknown;
                } | null;
                eventTopic?: string | null;
                queue?: {
                    topic?: string | null;
                    driver?: string | null;
                    options?: {
                        jobName?: string | null;
                        attempts?: number | null;
                        priority?: number | null;
                        ttlSec?: number | null;
                    } | null;
                } | null;
                command?: {
                    name?: string | null;
                } | null;
            } | null;
            payload?: unknown;
            enabled?: boolean | null;
            startAt?: string | null;
            endAt?: string | null;
            maxFires?: number | null;
            jitter?: string | null;
            dst?: {
                gap?: string | null;
                fold?: string | null;
            } | null;
            calendars?: {
                exclude?: string[] | null;
                onExcluded?: ("SKIP" | "FOLLOWING" | "PRECEDING" | "MODIFIED_FOLLOWING") | null;
            } | null;
            overlapPolicy?: ("SKIP" | "BUFFER_ONE" | "BUFFER_ALL" | "CANCEL_OTHER" | "ALLOW_ALL") | null;
            misfire?: {
                policy?: ("SKIP" | "FIRE_ONCE" | "FIRE_ALL") | null;
                thresholdSec?: number | null;
                windowSec?: number | null;
            } | null;
            retry?: {
                maxAttempts?: number | null;
                initialDelaySec?: number | null;
                backoffCoefficient?: number | null;
                maxDelaySec?: number | null;
                jitter?: number | null;
                maxAgeSec?: number | null;
            } | null;
            timeoutSec?: number | null;
            pauseOnFailures?: number | null;
            onCompletion?: ("KEEP" | "DELETE") | null;
        };
        Secret: {
            name: string;
            tenantId: string;
            /** @description Of the key that seals the value */
            keyId: string;
            /** @description Grows with every new value; the ETag */
            version: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            createdBy: string;
            updatedBy: string;
        };
        SecretBody: {
            value: string;
            /** @description Must be the request's tenant */
            tenantId?: string;
        };
        SecretPage: {
            items: components["schemas"]["Secret"][];
            nextCursor: string | null;
        };
        SigningKey: {
            id: string;
            /** @description Of the key that seals it */
            keyId: string;
            /** Format: date-time */
            createdAt: string;
        };
        SuspendTenantBody: {
            /** @default null */
            note?: string | null;
            /** @description Must be the request's tenant */
            tenantId?: string;
        };
        Target: {
            /** @constant */
            kind: "HTTP";
            http: {
                /** Format: uri */
                url: string;
                /**
                 * @default POST
                 * @enum {string}
                 */
                method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD";
                /**
                 * @description At most 50; names of the connection, of the framing, Host and webhook-* are refused. Values may refer to secrets: Bearer {{secret:NAME}}
                 * @default {}
                 */
                headers?: {
                    [key: string]: string;
                };
                /** @description Sent instead of the payload */
                body?: unknown;
            };
        } | {
            /** @constant */
            kind: "EVENT";
            eventTopic: string;
        } | {
            /** @constant */
            kind: "QUEUE";
            queue: {
                topic: string;
                /**
                 * @description JetStream, BullMQ on Redis, RabbitMQ. Left out: the deployment’s
                 * @enum {string}
                 */
                driver?: "NATS" | "REDIS" | "AMQP";
                /** @description Needs a driver. REDIS heeds jobName (left out: the topic), attempts (of its worker; left out: 1) and priority (the lowest first, 0 before all); AMQP heeds priority (the highest first, more than 10 as 10) and ttlSec */
                options?: {
                    jobName?: string;
                    attempts?: number;
                    priority?: number;
                    ttlSec?: number;
                };
            };
        } | {
            /** @constant */
            kind: "COMMAND";
            command: {
                name: string;
            };
        };
        TargetShown: {
            /** @constant */
            kind: "HTTP";
            http: {
                url: string;
                /** @enum {string} */
                method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD";
                /** @description Each value is masked, but for those that refer to a secret */
                headers: {
                    [key: string]: string;
                };
                body?: unknown;
            };
        } | {
            /** @constant */
            kind: "EVENT";
            eventTopic: string;
        } | {
            /** @constant */
            kind: "QUEUE";
            queue: {
                topic: string;
                /**
                 * @description JetStream, BullMQ on Redis, RabbitMQ. Left out: the deployment’s
                 * @enum {string}
                 */
                driver?: "NATS" | "REDIS" | "AMQP";
                /** @description Needs a driver. REDIS heeds jobName (left out: the topic), attempts (of its worker; left out: 1) and priority (the lowest first, 0 before all); AMQP heeds priority (the highest first, more than 10 as 10) and ttlSec */
                options?: {
                    jobName?: string;
                    attempts?: number;
                    priority?: number;
                    ttlSec?: number;
                };
            };
        } | {
            /** @constant */
            kind: "COMMAND";
            command: {
                name: string;
            };
        };
        Tenant: {
            id: string;
            name: string | null;
            /** @enum {string} */
            state: "ACTIVE" | "SUSPENDED" | "DELETING";
            suspension: {
                note: string | null;
                by: string;
                at: string;
            } | null;
            defaults: {
                tz: string;
                retry: {
                    maxAttempts: number;
                    initialDelaySec: number;
                    backoffCoefficient: number;
                    maxDelaySec: number;
                    jitter: number;
                    maxAgeSec: number;
                };
                /** @description How long ended runs are kept */
                retentionDays: number;
            };
            /** @description What holds: what the platform granted, else the service’s; null is no limit */
            quotas: {
                /** @description Living schedules */
                schedules: number | null;
                /** @description Slots that become runs, by the minute of the clock; more are SKIPPED */
                firesPerMinute: number | null;
                /** @description Attempts in flight at once; more wait */
                concurrentDeliveries: number | null;
                payloadBytes: number;
                /** @description Between two slots of one schedule */
                minIntervalSec: number | null;
                /** @description Requests to the API, on average */
                requestsPerSec: number | null;
                /** @description Requests at once; null: as many as in a second */
                requestBurst: number | null;
            };
            /** @description Grows with every change; the ETag */
            version: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        TenantBody: {
            id: string;
            /** @default null */
            name?: string | null;
            defaults?: components["schemas"]["TenantDefaults"];
            /** @default {} */
            quotas?: components["schemas"]["TenantQuotas"];
        };
        TenantDefaults: {
            /** @description IANA time zone */
            tz?: string;
            retry?: {
                /** @description Counts the first try */
                maxAttempts?: number;
                initialDelaySec?: number;
                backoffCoefficient?: number;
                maxDelaySec?: number;
                /** @description The share of a delay that chance may take away */
                jitter?: number;
                maxAgeSec?: number;
            };
            /** @description At most the service’s RETENTION_DAYS */
            retentionDays?: number;
        };
        TenantPage: {
            items: components["schemas"]["Tenant"][];
            nextCursor: string | null;
        };
        /** @description JSON Merge Patch (RFC 7396): fields left out stay, null means the service’s default. */
        TenantPatch: {
            /** @description Must be the request's tenant */
            tenantId?: string;
            name?: string | null;
            defaults?: {
                tz?: number | string | null;
                retry?: {
                    maxAttempts?: number | string | null;
                    initialDelaySec?: number | string | null;
                    backoffCoefficient?: number | string | null;
                    maxDelaySec?: number | string | null;
                    jitter?: number | string | null;
                    maxAgeSec?: number | string | null;
                } | null;
                retentionDays?: number | string | null;
            } | null;
        };
        TenantQuotas: {
            schedules?: number;
            firesPerMinute?: number;
            concurrentDeliveries?: number;
            payloadBytes?: number;
            minIntervalSec?: number;
            requestsPerSec?: number;
            requestBurst?: number;
        };
        Trigger: {
            /** @constant */
            type: "CRON";
            /** @description 5 fields, or 6 with seconds first, or a macro such as @hourly; names, L, W, #, ranges, steps and lists */
            cron: string;
        } | {
            /** @constant */
            type: "RRULE";
            /** @description RFC 5545 rule, or a block of DTSTART, RRULE, EXDATE and RDATE lines */
            rrule: string;
            /** @description Where the rule starts: local to tz, or an instant. Default: local midnight of the day of creation */
            dtstart?: string;
            /** @description Times at which the rule does not fire */
            exdates?: string[];
            /** @description Times at which it fires besides */
            rdates?: string[];
        } | {
            /** @constant */
            type: "INTERVAL";
            /** @description PT6H, or the short forms 15m, 2h, 1d */
            every?: string;
            /** @description Where the grid starts. Default: the second of creation */
            anchor?: string;
            /** @description How often it fires in total */
            repeat?: number;
            /** @description Instead of the others: R[n]/start/duration */
            iso8601?: string;
        } | {
            /** @constant */
            type: "FIXED_DELAY";
            /** @description From the end of a run to the next */
            delaySec: number;
        } | {
            /** @constant */
            type: "ONE_SHOT";
            /** @description An instant, or a local time of tz */
            startAt: string;
        };
        TriggerBody: {
            /** @description Instead of the schedule's */
            payload?: unknown;
            /** @description Must be the request's tenant */
            tenantId?: string;
        };
        Upcoming: {
            description: string;
            slots: {
                /** Format: date-time */
                scheduledFor: string;
                local: string;
                /** @description Where a clock change touched the slot */
                dst: ("GAP" | "FOLD") | null;
                /** @description The excluded date of the slot, where its calendar moves it from there; dueAt tells where to */
                movedFrom: string | null;
                /** Format: date-time */
                dueAt: string;
            }[];
            /** @description The trigger has no slot after these */
            exhausted: boolean;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listSchedules: {
        parameters: {
            query?: {
                /** @description Counted from 1; with pageSize, instead of cursor and limit */
                page?: number;
                /** @description Default 50 */
                pageSize?: number;
                /** @description At most so many items; default 50 */
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                state?: "ACTIVE" | "PAUSED" | "DISABLED" | "COMPLETED";
                /** @description key:value */
                label?: string;
                /** @description Part of the name or key, any case */
                q?: string;
                targetKind?: "HTTP" | "EVENT" | "QUEUE" | "COMMAND";
                triggerType?: "CRON" | "RRULE" | "INTERVAL" | "FIXED_DELAY" | "ONE_SHOT";
                dueBefore?: string;
                sort?: "createdAt" | "-createdAt" | "name" | "-name" | "nextFireAt" | "-nextFireAt";
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SchedulePage"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createSchedule: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Repeating the request within 24 hours answers the same schedule */
                "Idempotency-Key"?: string;
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScheduleBody"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSchedule: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replaceSchedule: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description The version the change is based on: "3", or * */
                "If-Match"?: string;
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScheduleBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteSchedule: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description The version the change is based on: "3", or * */
                "If-Match"?: string;
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    patchSchedule: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description The version the change is based on: "3", or * */
                "If-Match"?: string;
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SchedulePatch"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    upsertScheduleByKey: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description The version the change is based on: "3", or * */
                "If-Match"?: string;
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScheduleBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pauseSchedule: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description The version the change is based on: "3", or * */
                "If-Match"?: string;
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PauseBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resumeSchedule: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description The version the change is based on: "3", or * */
                "If-Match"?: string;
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ResumeBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    skipNextSlot: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description The version the change is based on: "3", or * */
                "If-Match"?: string;
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["NoBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    triggerSchedule: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["TriggerBody"];
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listUpcomingSlots: {
        parameters: {
            query?: {
                count?: number;
                /** @description Exclusive; default now */
                from?: string;
                to?: string;
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Upcoming"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    previewSchedule: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PreviewBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Upcoming"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    bulkSchedules: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Repeating the request within 24 hours answers the same schedule */
                "Idempotency-Key"?: string;
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BulkBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkAnswer"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createBackfill: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BackfillBody"];
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Backfill"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listCalendars: {
        parameters: {
            query?: {
                /** @description At most so many items; default 50 */
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CalendarPage"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createCalendar: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CalendarBody"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Calendar"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getCalendar: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Calendar"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replaceCalendar: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description The version the change is based on: "3", or * */
                "If-Match"?: string;
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CalendarContents"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Calendar"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteCalendar: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description The version the change is based on: "3", or * */
                "If-Match"?: string;
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRuns: {
        parameters: {
            query?: {
                /** @description At most so many items; default 50 */
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                state?: "PENDING" | "RUNNING" | "RETRYING" | "SUCCEEDED" | "CANCELLED" | "SKIPPED" | "DEAD";
                scheduleId?: string;
                cause?: "SCHEDULE" | "CATCH_UP" | "MANUAL" | "BACKFILL" | "WORKFLOW";
                /** @description Of the slot, inclusive */
                from?: string;
                /** @description Of the slot, exclusive */
                to?: string;
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunPage"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listScheduleRuns: {
        parameters: {
            query?: {
                /** @description At most so many items; default 50 */
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                state?: "PENDING" | "RUNNING" | "RETRYING" | "SUCCEEDED" | "CANCELLED" | "SKIPPED" | "DEAD";
                cause?: "SCHEDULE" | "CATCH_UP" | "MANUAL" | "BACKFILL" | "WORKFLOW";
                /** @description Of the slot, inclusive */
                from?: string;
                /** @description Of the slot, exclusive */
                to?: string;
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunPage"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listDeadLetters: {
        parameters: {
            query?: {
                /** @description At most so many items; default 50 */
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                scheduleId?: string;
                cause?: "SCHEDULE" | "CATCH_UP" | "MANUAL" | "BACKFILL" | "WORKFLOW";
                /** @description Of the slot, inclusive */
                from?: string;
                /** @description Of the slot, exclusive */
                to?: string;
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunPage"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getRun: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    retryRun: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["NoBody"];
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelRun: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["NoBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    redriveDeadLetters: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Repeating the request within 24 hours answers the same schedule */
                "Idempotency-Key"?: string;
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RedriveBody"];
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Redrive"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRedrives: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RedriveList"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getRedrive: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Redrive"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelRedrive: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Stopped */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSecrets: {
        parameters: {
            query?: {
                /** @description At most so many items; default 50 */
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecretPage"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSecret: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Secret"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putSecret: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description The version the change is based on: "3", or * */
                "If-Match"?: string;
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SecretBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Secret"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Secret"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteSecret: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description The version the change is based on: "3", or * */
                "If-Match"?: string;
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSigningKeys: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["SigningKey"][];
                    };
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createSigningKey: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["NoBody"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewSigningKey"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteSigningKey: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listAuditEntries: {
        parameters: {
            query?: {
                /** @description Who acted, as tokens name them */
                subject?: string;
                /** @description A kind of thing, or one thing */
                resource?: string;
                action?: string;
                /** @description Inclusive */
                from?: string;
                /** @description Exclusive */
                to?: string;
                /** @description At most so many items; default 50 */
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditPage"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getTenant: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    patchTenant: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description The version the change is based on: "3", or * */
                "If-Match"?: string;
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TenantPatch"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listTenants: {
        parameters: {
            query?: {
                /** @description At most so many items; default 50 */
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TenantPage"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createTenant: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TenantBody"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getTenantById: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteTenant: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description The version the change is based on: "3", or * */
                "If-Match"?: string;
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    patchTenantById: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description The version the change is based on: "3", or * */
                "If-Match"?: string;
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlatformTenantPatch"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    suspendTenant: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description The version the change is based on: "3", or * */
                "If-Match"?: string;
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["SuspendTenantBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resumeTenant: {
        parameters: {
            query?: {
                /** @description Must be the request's tenant */
                tenantId?: string;
            };
            header?: {
                /** @description The version the change is based on: "3", or * */
                "If-Match"?: string;
                /** @description Chooses the tenant; may be left out where the token names one. Must be one of the token's. */
                "X-Tenant-Id"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ResumeTenantBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getLiveness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        status: "ok";
                    };
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getReadiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        status: "ok";
                    };
                };
            };
            /** @description A problem document */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HealthReport"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HealthReport"];
                };
            };
        };
    };
    getOpenApi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OpenAPI 3.1 */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
        };
    };
}
