/** When a schedule fires, as its author wrote it and as it is stored. */
export type Trigger =
  | { readonly type: 'CRON'; readonly cron: string }
  | {
      readonly type: 'RRULE';
      readonly rrule: string;
      readonly dtstart?: string | undefined;
      readonly exdates?: readonly string[] | undefined;
      readonly rdates?: readonly string[] | undefined;
    }
  | {
      readonly type: 'INTERVAL';
      readonly every?: string | undefined;
      readonly anchor?: string | undefined;
      readonly repeat?: number | undefined;
      readonly iso8601?: string | undefined;
    }
  | { readonly type: 'FIXED_DELAY'; readonly delaySec: number }
  | { readonly type: 'ONE_SHOT'; readonly startAt: string };

export type TriggerType = Trigger['type'];

/** What happens to a local time that a clock change skips (`gap`) or repeats (`fold`). Left out: the default of the trigger's class. */
export interface DstPolicy {
  readonly gap?: 'NEXT_VALID' | 'SHIFT' | 'SKIP' | undefined;
  readonly fold?: 'FIRST' | 'SECOND' | 'BOTH' | undefined;
}
