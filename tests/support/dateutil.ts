import { spawnSync } from 'node:child_process';

export type DateutilAnswer = { readonly version: string } | { readonly why: string };

/** The version of python-dateutil that `python3` brings, or why it brings none. */
export function findDateutil(): DateutilAnswer {
  const asked = spawnSync('python3', ['-c', 'import dateutil; print(dateutil.__version__)'], { encoding: 'utf8' });
  if (asked.status === 0) return { version: asked.stdout.trim() };
  return { why: `no python3 that knows python-dateutil: apt-get install python3-dateutil` };
}
