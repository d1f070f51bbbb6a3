/** How one part of this process is: the database, the engine loop, a broker. */
export interface ComponentHealth {
  readonly status: 'ok' | 'degraded' | 'down';
  readonly latencyMs: number | null;
  /** For people; holds no secret. */
  readonly detail: string | null;
}

export interface HealthReport {
  readonly status: 'ok' | 'degraded' | 'down';
  readonly build: string;
  readonly version: string;
  /** The version of the time zone data that slots are computed with. */
  readonly tzdata: string;
  readonly components: Readonly<Record<string, ComponentHealth>>;
}

/** What the probes ask. None of the three throws, and each answers within its own deadline. */
export interface HealthProbe {
  /** True while the event loop turns. */
  live(): boolean;
  /** Ready: this process can do its roles' work. Never fails for a target's or another tenant's fault. */
  ready(): Promise<{ readonly ready: boolean; readonly reason: string | null }>;
  health(): Promise<HealthReport>;
}
