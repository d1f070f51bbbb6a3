import type { CommandContext } from '../../src/index.ts';

/* The commands of a service process that is measured: it counts what it fires and how late that was, and tells its parent. */

let fired = 0;
/** Starts by lateness in whole ms; what is very late shares the last. */
let lateness = new Map<number, number>();
const LATEST_MS = 600_000;
const metrics = `http://127.0.0.1:${process.env['OPS_PORT']}/metrics`;

export function noop({ scheduledFor }: CommandContext): void {
  fired += 1;
  const ms = Math.min(LATEST_MS, Math.max(0, Date.now() - scheduledFor.getTime()));
  lateness.set(ms, (lateness.get(ms) ?? 0) + 1);
}

/** What happened since the last reading; memory and claims as of now. */
async function reading(): Promise<object> {
  const text = await (await fetch(metrics)).text();
  const metric = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  const claimed = {
    claims: metric('scheduler_claim_duration_seconds_count'),
    claimMs: metric('scheduler_claim_duration_seconds_sum') * 1000,
  };
  const read = {
    pid: process.pid,
    fired,
    lateness: [...lateness],
    cpuMs: (user + system) / 1000,
    rss,
    heapUsed,
    external,
    ...claimed,
  };
  fired = 0;
  lateness = new Map();
  return read;
}

process.on('message', () => {
  reading().then(
    (read) => process.send?.(read),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit(1));
// Ends as the service does: the channel does not keep it.
process.channel?.unref();
