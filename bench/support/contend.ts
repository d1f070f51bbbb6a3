/** What a contender counted besides its clock: numbers, or samples to be pooled over the rounds. */
export type Notes = Readonly<Record<string, number | readonly number[]>>;

/** What a contender does in its own process. */
export interface ContenderSide {
  /** Everything up to the start signal: the jobs are there and due, statistics are fresh. Answers what is worth reporting. */
  prepare(): Promise<Notes>;
  /** From the start signal to the last durable end; answers how many jobs ended. The clock runs, anew from `restartClock`. */
  round(restartClock: () => void): Promise<number>;
  /** The clock has stopped: ends what would disturb the others' rounds. Answers what is worth reporting. */
  rest(): Promise<Notes>;
  close(): Promise<void>;
}

/** Answers the orchestrator's messages one by one; the process ends with the first error, or with the orchestrator. */
export function contend(side: ContenderSide): void {
  const send = (kind: string, answer: object = {}): void => {
    process.send?.({ kind, ...answer });
  };
  const act = async (kind: string): Promise<void> => {
    if (kind === 'prepare') send('prepared', { notes: await side.prepare() });
    else if (kind === 'go') send('measured', { round: await measured(side) });
    else if (kind === 'rest') send('rested', { notes: await side.rest() });
    else {
      await side.close();
      process.exit(0);
    }
  };
  process.on('message', (message: { readonly kind: string }) => {
    act(message.kind).catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  });
  process.on('disconnect', () => process.exit(1));
  send('up');
}

async function measured(side: ContenderSide): Promise<{ jobs: number; wallMs: number; nodeCpuMs: number }> {
  let cpu = process.cpuUsage();
  let startedAt = performance.now();
  const jobs = await side.round(() => {
    cpu = process.cpuUsage();
    startedAt = performance.now();
  });
  const wallMs = performance.now() - startedAt;
  const used = process.cpuUsage(cpu);
  return { jobs, wallMs, nodeCpuMs: (used.user + used.system) / 1000 };
}
