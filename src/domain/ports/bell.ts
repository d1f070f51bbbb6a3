/** Wakes engines on other nodes. A hint: losing a ring costs lateness up to the longest sleep, never a slot. */
export interface Bell {
  /** Something is due at `due` (epoch ms) that may be earlier than what engines sleep towards. Never throws, never waits. */
  ring(due: number): void;
  /** Calls `heard` for every ring of any node, and with 0 where rings may have been missed, until the signal aborts. */
  listen(heard: (due: number) => void, signal: AbortSignal): void;
}
