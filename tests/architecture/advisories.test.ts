import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ADVISORIES, type Advisory } from './advisories.ts';

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
}

type Lock = Readonly<Record<string, LockedPackage>>;

const lock: Lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')).packages;

describe('the locked dependencies', () => {
  it('are at or above the versions that fixed what is known of them', () => {
    expect(unsafeIn(lock)).toEqual([]);
  });

  it('are looked up wherever they lie in the tree, and by their own line', () => {
    const planted: Lock = {
      'node_modules/fastify': { version: '5.12.1' },
      'node_modules/undici': { version: '8.12.4' },
      'node_modules/a/node_modules/drizzle-orm': { version: '0.9.0' },
      'node_modules/a/node_modules/@grpc/grpc-js': { version: '1.14.4-rc.1' },
      'node_modules/fast-uri': { version: '4.1.3' },
      'node_modules/b/node_modules/fast-uri': { version: '3.1.6' },
    };
    expect(unsafeIn(planted)).toEqual([
      'fastify 5.12.1 is below 5.12.2 (SNYK-JS-FASTIFY-19639040)',
      'drizzle-orm 0.9.0 is below 0.45.2 (GHSA-gpj5-g38j-94v9)',
      '@grpc/grpc-js 1.14.4-rc.1 is below 1.14.4 (GHSA-5375-pq7m-f5r2)',
      'fast-uri 4.1.3 is below 4.1.4 (GHSA-5jgf-p345-68v8)',
    ]);
  });

  it('are all there to be looked up: the list names none that is gone', () => {
    const shipped = new Set(
      Object.entries(lock).flatMap(([path, entry]) => (entry.dev === true ? [] : [nameOf(path)])),
    );
    expect(Object.keys(ADVISORIES).filter((name) => !shipped.has(name))).toEqual([]);
  });

  it('come from the registry, each with its checksum', () => {
    const loose = Object.entries(lock)
      .filter(([path, { link }]) => path.includes('node_modules/') && link !== true)
      .filter(([, entry]) => entry.integrity?.startsWith('sha512-') !== true || isFromElsewhere(entry))
      .map(([path]) => path);
    expect(loose).toEqual([]);
  });
});

function unsafeIn(packages: Lock): string[] {
  return Object.entries(packages).flatMap(([path, { version }]) => {
    const name = nameOf(path);
    const advisory = version === undefined ? undefined : ADVISORIES[name]?.find(({ line }) => isOfLine(version, line));
    if (version === undefined || advisory === undefined || isAtLeast(version, advisory)) return [];
    return [`${name} ${version} is below ${advisory.fixed} (${advisory.id})`];
  });
}

function nameOf(path: string): string {
  return path.replace(/^.*node_modules\//, '');
}

function isOfLine(version: string, line: number | undefined): boolean {
  return line === undefined || Number(version.split('.')[0]) === line;
}

/** A release before the fix is unsafe, and so is a pre-release of the fix itself. */
function isAtLeast(version: string, { fixed }: Advisory): boolean {
  const [release = '', preRelease] = version.split('-', 2);
  const order = release.localeCompare(fixed, 'en', { numeric: true });
  return order > 0 || (order === 0 && preRelease === undefined);
}

function isFromElsewhere({ resolved }: LockedPackage): boolean {
  return resolved !== undefined && !resolved.startsWith('https://registry.npmjs.org/');
}
