import { readFileSync } from 'node:fs';

/** What `npm start` gives to Node, and the image does. */
export function nodeOptions(): readonly string[] {
  const read: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const start = /"start":"node ([^"]+)"/.exec(JSON.stringify(read))?.[1] ?? '';
  return start.split(' ').filter((word) => word.startsWith('--'));
}
