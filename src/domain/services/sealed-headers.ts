import { ScheduleEntity } from '../entities/schedule.ts';
import { asSealed, isTemplate, sealedIn } from '../entities/secret.ts';
import type { Target } from '../entities/target.ts';
import type { ScheduleId, TenantId } from '../ids.ts';
import type { Seal } from '../ports/seal.ts';

/** The schedule whose header values they are: they open for no other. */
export interface HeadersOf {
  readonly tenantId: TenantId;
  readonly scheduleId: ScheduleId;
}

/** Header values as they are stored, sealed, and as they are sent. Templates are neither: they hold no secret. */
export class SealedHeaders {
  readonly #seal: Seal | null;

  /** Null: what is stored then is stored as it is. */
  constructor(seal: Seal | null) {
    this.#seal = seal;
  }

  sealed(target: Target, of: HeadersOf): Target {
    const seal = this.#seal;
    if (seal === null) return target;
    return withValues(target, (value, name) =>
      isTemplate(value) || sealedIn(value) !== null ? value : asSealed(seal.seal(value, placeOf(name, of))),
    );
  }

  /** A value that cannot be opened stays as it is stored. */
  opened(target: Target, of: HeadersOf): Target {
    return withValues(target, (value, name) => {
      const sealed = sealedIn(value);
      return sealed === null ? value : (this.#open(sealed, name, of) ?? value);
    });
  }

  /** The values sealed with the key that seals now, as far as they can be opened; the target itself when they all are. */
  resealed(target: Target, of: HeadersOf): Target {
    const seal = this.#seal;
    if (seal === null || target.kind !== 'HTTP') return target;
    const isOld = (value: string): boolean => {
      const sealed = sealedIn(value);
      return sealed === null ? !isTemplate(value) : seal.keyIdOf(sealed) !== seal.keyId;
    };
    return Object.values(target.http.headers).some(isOld) ? this.sealed(this.opened(target, of), of) : target;
  }

  /** The schedule with its header values opened. */
  openedIn(schedule: ScheduleEntity): ScheduleEntity {
    return withTarget(schedule, this.opened(schedule.state.target, ofSchedule(schedule)));
  }

  sealedIn(schedule: ScheduleEntity): ScheduleEntity {
    return withTarget(schedule, this.sealed(schedule.state.target, ofSchedule(schedule)));
  }

  #open(sealed: string, name: string, of: HeadersOf): string | null {
    try {
      return this.#seal?.open(sealed, placeOf(name, of)) ?? null;
    } catch {
      return null;
    }
  }
}

/** The schedule with this target in place of its own, which says the same. */
export function withTarget(schedule: ScheduleEntity, target: Target): ScheduleEntity {
  if (target === schedule.state.target) return schedule;
  return new ScheduleEntity({ ...schedule.state, target }, schedule.timer, schedule.passed);
}

function ofSchedule({ state }: ScheduleEntity): HeadersOf {
  return { tenantId: state.tenantId, scheduleId: state.id };
}

function placeOf(name: string, { tenantId, scheduleId }: HeadersOf): { tenantId: string; name: string } {
  return { tenantId, name: `header ${name.toLowerCase()} of ${scheduleId}` };
}

function withValues(target: Target, change: (value: string, name: string) => string): Target {
  if (target.kind !== 'HTTP') return target;
  const entries = Object.entries(target.http.headers);
  if (entries.length === 0) return target;
  const headers = Object.fromEntries(entries.map(([name, value]) => [name, change(value, name)]));
  return { ...target, http: { ...target.http, headers } };
}
