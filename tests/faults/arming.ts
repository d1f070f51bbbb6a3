import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CrashPoint } from '../../src/domain/crash-point.ts';

/** What happens to a process at a point: it dies at once, it stands still, or the code there throws. */
export const MODES = ['kill', 'stop', 'throw'] as const;
export type Mode = (typeof MODES)[number];

/** `pass`: it is only noted that a process was there. */
export interface Step {
  readonly point: CrashPoint;
  readonly mode: Mode | 'pass';
}

/** A step that was taken: by whom, and when (epoch ms). */
export interface Hit extends Step {
  readonly pid: number;
  readonly at: number;
}

/** The files through which a test tells processes where to crash, and they tell it that they do. */
export function armingFiles(folder: string): { readonly armed: string; readonly hits: string } {
  return { armed: join(folder, 'armed'), hits: join(folder, 'hits') };
}

/** The crash points of some processes: whichever first reaches the next step takes it. */
export class Arming implements AsyncDisposable {
  readonly folder: string;
  readonly #files: ReturnType<typeof armingFiles>;

  private constructor(folder: string) {
    this.folder = folder;
    this.#files = armingFiles(folder);
  }

  static async create(): Promise<Arming> {
    return new Arming(await mkdtemp(join(tmpdir(), 'scheduler-faults-')));
  }

  /** From now on the processes take these steps, one after the other, each once. Forgets what was before. */
  arm(steps: readonly Step[]): void {
    rmSync(this.#files.hits, { force: true });
    const fresh = `${this.#files.armed}.fresh`;
    writeFileSync(fresh, JSON.stringify(steps));
    renameSync(fresh, this.#files.armed);
  }

  disarm(): void {
    rmSync(this.#files.armed, { force: true });
  }

  hits(): readonly Hit[] {
    if (!existsSync(this.#files.hits)) return [];
    const lines = readFileSync(this.#files.hits, 'utf8').split('\n').slice(0, -1);
    return lines.map((line): Hit => JSON.parse(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
