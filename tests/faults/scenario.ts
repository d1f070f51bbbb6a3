import type { CrashPoint } from '../../src/domain/crash-point.ts';
import type { Step } from './arming.ts';
import type { Story } from './story.ts';

/** A course of events that reaches crash points. */
export interface Scenario {
  /** The points that it reaches, each in a case of its own. */
  readonly points: readonly CrashPoint[];
  /** Where its request has written: what is committed after that is its own. */
  readonly writes?: CrashPoint;
  /** What has to go wrong first. */
  readonly prelude?: readonly Step[];
  /** Makes the schedules; the crash may come from here on. */
  begin(story: Story): Promise<void>;
  /** What a client or an operator does then, while the crash comes. */
  act?(story: Story): Promise<void>;
  /** The process that crashes was told to end. */
  readonly isShutdown?: boolean;
}
