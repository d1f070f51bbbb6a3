import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { tzdataVersion } from '../../../src/domain/time/zone.ts';
import { changedZones, goldenText } from './support/golden-slots.ts';

/* A runtime with other zone data, or a change of the time core, that moves a slot is seen here, zone by zone. */

const FILE = new URL('golden/slots.txt', import.meta.url);
const COMMAND = 'GOLDEN=write npm test -- tests/unit/time/golden-slots.test.ts';
const HEAD = /^# Zone data (\S+)\. /;

function writeGolden(found: string): void {
  writeFileSync(
    FILE,
    `# Zone data ${tzdataVersion}. Next 100 slots, see ../support/golden-slots.ts; written by ${COMMAND}\n${found}`,
  );
}

it('the next 100 slots are those of the golden file', () => {
  const found = goldenText();
  if (process.env['GOLDEN'] === 'write') writeGolden(found);
  expect(existsSync(FILE), `${FILE.pathname} is missing: ${COMMAND}`).toBe(true);
  const kept = readFileSync(FILE, 'utf8');
  const [, version] = HEAD.exec(kept) ?? [];
  const changed = changedZones(kept, found);
  expect([...changed.keys()], explained(changed, version)).toEqual([]);
});

it('says which zone has other slots', () => {
  const kept = goldenText();
  const moved = kept.replaceAll('2026-03-01T01:30:00Z', '2026-03-01T02:30:00Z');
  const changed = changedZones(kept, moved);
  expect(changed.has('Europe/Berlin')).toBe(true);
  expect(changed.has('Europe/London')).toBe(false);
});

function explained(changed: ReadonlyMap<string, string>, version: string | undefined): string {
  const zones = [...changed].map(([zone, difference]) => `  ${zone}: ${difference}`).slice(0, 20);
  return [
    `${changed.size} zones have other slots than the golden file, which was written with zone data ${version}; this runtime has ${tzdataVersion}.`,
    'Newer zone data: compare with its release notes (https://www.iana.org/time-zones), then write the file anew:',
    `  ${COMMAND}`,
    'The same zone data: the time core has changed what fires.',
    ...zones,
  ].join('\n');
}
