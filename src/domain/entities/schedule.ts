import { DomainError } from '../errors.ts';
import type { ScheduleId, TenantId } from '../ids.ts';
import { normaliseTrigger } from '../time/compile.ts';
import type { ExcludedDates, ScheduleDefinition } from './definition.ts';
import { checkDefinition, checkOwnership } from './definition-rules.ts';
import { sameJson } from './json.ts';
import { redatedQuietly } from './redated.ts';
import { nextDefinition, redefined } from './redefinition.ts';
import type { RunOrigin } from './run.ts';
import { countedWith, passedBy, startedTimer, versionOf } from './schedule-timer.ts';
import type { ScheduleVersion } from './schedule-version.ts';
import type { SkippedSlots, TimerState } from './timer.ts';

export type ScheduleLifecycle = 'ACTIVE' | 'PAUSED' | 'DISABLED' | 'COMPLETED';
export type ScheduleScope = 'SYSTEM' | 'TENANT' | 'ORGANIZATION';

/** Who paused a schedule and why; instants are RFC 3339. */
export interface Pause {
  readonly note: string | null;
  readonly by: string;
  readonly at: string;
  readonly resumeAt: string | null;
}

/** What a caller says of a schedule, defaults filled in. */
export interface ScheduleInput extends ScheduleDefinition {
  readonly name: string;
  readonly key: string | null;
  readonly description: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly scope: ScheduleScope;
  readonly organizationId: string | null;
  /** Left out: a create begins active, a replace keeps the state. */
  readonly enabled?: boolean | undefined;
}

/** A schedule as its row holds it. While ACTIVE the timer (next slot, cursor, counts) lives in the `timers` row instead. */
export interface ScheduleState extends Omit<ScheduleInput, 'enabled'> {
  readonly id: ScheduleId;
  readonly tenantId: TenantId;
  readonly state: ScheduleLifecycle;
  readonly stateReason: string | null;
  readonly pause: Pause | null;
  /** Bumped by every change a caller makes; the ETag. */
  readonly version: number;
  /** The version at which trigger, target, payload or a policy last changed; runs name it. */
  readonly definitionVersion: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly createdBy: string;
}

/** Who acts, and when by the database's clock (epoch ms). */
export interface Act {
  readonly by: string;
  readonly now: number;
}

/** What became of slots that passed during a pause, as the caller of `resume` chooses. */
export type MissedChoice = 'SKIP' | 'FIRE_ONCE' | 'FIRE_ALL';

/** Slots that passed without a claim before a change: those that become runs of `version`, and the stretch that is skipped. */
export interface PassedSlots {
  readonly version: number;
  readonly fired: readonly number[];
  readonly skipped: SkippedSlots | null;
  /** Further stretches, where excluded dates part what passed. */
  readonly others?: readonly SkippedSlots[] | undefined;
  /** Runs that keep the due time they had, epoch ms: of slots that other dates would lay behind the cursor. */
  readonly waiting?: readonly { readonly slot: number; readonly due: number }[] | undefined;
  /** Where the timer stands after them, when that does not follow from the slots. */
  readonly next?: Pick<TimerState, 'slot' | 'due' | 'cursor'> | undefined;
}

/** A schedule with its timer: state, invariants and verbs. Immutable: each verb answers the schedule that results. */
export class ScheduleEntity {
  readonly state: ScheduleState;
  readonly timer: TimerState;
  /** What the last verb says of slots that had passed; to be recorded in its transaction. */
  readonly passed: PassedSlots | null;

  constructor(state: ScheduleState, timer: TimerState, passed: PassedSlots | null = null) {
    this.state = state;
    this.timer = timer;
    this.passed = passed;
  }

  /** Throws INVALID_TRIGGER, TRIGGER_NEVER_FIRES or VALIDATION_FAILED. */
  static create(
    input: ScheduleInput,
    owner: { readonly id: ScheduleId; readonly tenantId: TenantId },
    act: Act,
  ): ScheduleEntity {
    const { enabled, ...given } = input;
    const at = new Date(act.now);
    const created: ScheduleState = {
      ...given,
      ...owner,
      trigger: normaliseTrigger(given.trigger, given.tz, act.now),
      state: 'ACTIVE',
      stateReason: null,
      pause: null,
      version: 1,
      definitionVersion: 1,
      createdAt: at,
      updatedAt: at,
      createdBy: act.by,
    };
    checkOwnership(created);
    checkDefinition(created);
    const timer = startedTimer(created, act.now, undefined);
    if (enabled !== false) return new ScheduleEntity(created, timer);
    return new ScheduleEntity({ ...created, state: 'PAUSED', pause: pauseOf(act, null, null) }, timer);
  }

  /** True while slots are created: a `timers` row exists. */
  get isActive(): boolean {
    return this.state.state === 'ACTIVE';
  }

  /** The slot to come; null while there is none: not active, or waiting for a run to end. */
  get nextFireAt(): Date | null {
    if (!this.isActive || this.timer.due === Number.POSITIVE_INFINITY) return null;
    const slot = this.state.calendars === null ? this.timer.slot : this.currentVersion.nextFired(this.timer);
    return slot === null ? null : new Date(slot);
  }

  /** What runs made now name as theirs. */
  get origin(): RunOrigin {
    return { scheduleId: this.state.id, tenantId: this.state.tenantId, version: this.state.definitionVersion };
  }

  /** The earliest instant (epoch ms) at which something is due that was not before this change; `Infinity` when there is none. */
  wakesAt(before: ScheduleEntity | null): number {
    if (this.passed !== null && this.passed.fired.length > 0) return this.state.updatedAt.getTime();
    const known = before?.isActive === true ? before.timer.due : Number.POSITIVE_INFINITY;
    return this.isActive && this.timer.due < known ? this.timer.due : Number.POSITIVE_INFINITY;
  }

  /** Its definition at the current version, compiled. Throws INVALID_TRIGGER where newer zone data no longer reads it. */
  get currentVersion(): ScheduleVersion {
    return versionOf(this.state);
  }

  /** The input that would make this schedule: what a merge patch is applied to. `enabled` is false only by a pause or disabling. */
  get input(): ScheduleInput {
    const {
      id,
      tenantId,
      state,
      stateReason,
      pause,
      version,
      definitionVersion,
      createdAt,
      updatedAt,
      createdBy,
      ...input
    } = this.state;
    return { ...input, enabled: state === 'ACTIVE' || state === 'COMPLETED' };
  }

  /** This schedule with another definition; itself when nothing changes. The trigger starts anew only when it changed. */
  replace(input: ScheduleInput, act: Act): ScheduleEntity {
    const { enabled, ...given } = input;
    const change = redefined(this, given, act);
    const defined = change === null ? this : this.#changed(change.state, change.timer, act, change.passed);
    const switched = defined.#switch(enabled, act);
    if (switched === this) return this;
    return new ScheduleEntity({ ...switched.state, version: this.state.version + 1 }, switched.timer, switched.passed);
  }

  /** Throws CONFLICT unless ACTIVE. */
  pause(why: { readonly note: string | null; readonly resumeAt: string | null }, act: Act): ScheduleEntity {
    if (!this.isActive) throw this.#conflict('only an ACTIVE schedule can be paused');
    return this.#changed(
      { state: 'PAUSED', stateReason: null, pause: pauseOf(act, why.note, why.resumeAt) },
      this.timer,
      act,
    );
  }

  /** Throws CONFLICT unless PAUSED or DISABLED. `missed` decides on the slots that came due meanwhile; those to come are untouched. */
  resume(missed: MissedChoice, act: Act): ScheduleEntity {
    const { state } = this.state;
    if (state !== 'PAUSED' && state !== 'DISABLED')
      throw this.#conflict('only a PAUSED or DISABLED schedule can be resumed');
    const active = { state: 'ACTIVE', stateReason: null, pause: null } as const;
    const passed = passedBy(this, act.now, missed, 'PAUSED');
    if (passed === null && this.timer.due !== Number.POSITIVE_INFINITY) return this.#changed(active, this.timer, act);
    const counted = countedWith(this.timer, passed);
    const next = this.currentVersion.resumedTimer(counted, act.now, passed !== null && passed.fired.length > 0);
    return this.#changed(next === null ? { ...active, state: 'COMPLETED' } : active, next ?? counted, act, passed);
  }

  /** This schedule under the dates that its calendars hold now: another definition, the same version. Itself where it has them. */
  takeOver(excluded: ExcludedDates, now: number): ScheduleEntity {
    if (sameJson(excluded, this.state.excluded)) return this;
    const after = { ...this.state, excluded, definitionVersion: nextDefinition(this.state), updatedAt: new Date(now) };
    const { state, timer, passed } = redatedQuietly(this, after, now);
    return new ScheduleEntity(state, timer, passed);
  }

  /** Throws CONFLICT unless ACTIVE with a slot to come that is not marked yet. */
  skipNext(act: Act): ScheduleEntity {
    if (!this.isActive) throw this.#conflict('only an ACTIVE schedule has a slot to skip');
    if (this.timer.due === Number.POSITIVE_INFINITY) {
      throw new DomainError('CONFLICT', 'the next slot is not known until the run before it has ended');
    }
    if (this.timer.skipNext === true)
      throw new DomainError('CONFLICT', 'the next slot is marked to be skipped already');
    return this.#changed({}, { ...this.timer, skipNext: true }, act);
  }

  #switch(enabled: boolean | undefined, act: Act): ScheduleEntity {
    if (enabled === undefined || enabled === this.isActive || this.state.state === 'COMPLETED') return this;
    return enabled ? this.resume('SKIP', act) : this.pause({ note: null, resumeAt: null }, act);
  }

  #changed(
    change: Partial<ScheduleState>,
    timer: TimerState,
    act: Act,
    passed: PassedSlots | null = null,
  ): ScheduleEntity {
    const state = { ...this.state, ...change, version: this.state.version + 1, updatedAt: new Date(act.now) };
    return new ScheduleEntity(state, timer, passed ?? this.passed);
  }

  #conflict(message: string): DomainError {
    return new DomainError('CONFLICT', `${message}; this one is ${this.state.state}`);
  }
}

function pauseOf(act: Act, note: string | null, resumeAt: string | null): Pause {
  const resumeMs = resumeAt === null ? null : Date.parse(resumeAt);
  if (resumeMs !== null && !(resumeMs > act.now)) {
    throw new DomainError('VALIDATION_FAILED', 'resumeAt must lie in the future', [
      { path: 'resumeAt', message: 'must lie in the future' },
    ]);
  }
  return {
    note,
    by: act.by,
    at: new Date(act.now).toISOString(),
    resumeAt: resumeMs === null ? null : new Date(resumeMs).toISOString(),
  };
}
