import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';

/** What the machine was busy with before the benchmark: of the last minute, five, fifteen. */
const loadBefore = loadavg()
  .map((load) => load.toFixed(1))
  .join(' ');

/** The PostgreSQL that was measured; null where none was. */
let server: string | null = null;

/** Says which PostgreSQL is measured, for the report. */
export function measuredOn(description: string): void {
  server = description;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** The median of the ratios within each round: who takes turns meets the same machine, and the next round another. */
export function ratioByRound<Round>(
  ours: readonly Round[],
  theirs: readonly Round[],
  of: (round: Round) => number,
): number {
  const ratios = theirs.flatMap((their, index) => {
    const our = ours[index];
    return our === undefined ? [] : [of(our) / of(their)];
  });
  return Number(median(ratios).toFixed(2));
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** Prints the rows as a table and keeps them, with the machine, in bench/results/NAME.json. */
export function report(
  name: string,
  rows: readonly Readonly<Record<string, string | number>>[],
  notes: readonly string[] = [],
): void {
  console.table(rows);
  for (const note of notes) console.log(note);
  console.log(`Load average before: ${loadBefore} on ${cpus().length} cores.${server === null ? '' : ` ${server}.`}`);
  const folder = fileURLToPath(new URL('../results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const machine = { cores: cpus().length, cpu: cpus()[0]?.model ?? '', node: process.version, server, loadBefore };
  writeFileSync(
    `${folder}${name}.json`,
    `${JSON.stringify({ name, at: new Date().toISOString(), machine, rows, notes }, null, 2)}\n`,
  );
}
