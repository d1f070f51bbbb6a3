import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { History } from './history.ts';

/** Writes the history of a campaign that failed, for whoever looks into it; answers where. */
export async function keepHistory(history: History, seed: number, folder = '.data/chaos'): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, `history-${seed}.json`);
  await writeFile(file, JSON.stringify(history));
  return file;
}
