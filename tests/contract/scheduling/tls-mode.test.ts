import { describe, expect, test } from 'vitest';
import { splitTlsMode } from '../../../src/infra/db/tls-mode.ts';

const HOST = 'postgres://user:p%40ss@db.example:5432/app';

describe('the TLS mode of a database URL', () => {
  test.each([
    ['', { isWanted: false, isRequired: false, options: { rejectUnauthorized: false } }],
    ['?sslmode=disable', { isWanted: false, isRequired: false, options: { rejectUnauthorized: false } }],
    ['?sslmode=prefer', { isWanted: true, isRequired: false, options: { rejectUnauthorized: false } }],
    ['?sslmode=require', { isWanted: true, isRequired: true, options: { rejectUnauthorized: false } }],
    ['?sslmode=verify-full', { isWanted: true, isRequired: true, options: { rejectUnauthorized: true } }],
    ['?sslrootcert=system', { isWanted: true, isRequired: true, options: { rejectUnauthorized: true } }],
    [
      '?sslmode=require&sslrootcert=system',
      { isWanted: true, isRequired: true, options: { rejectUnauthorized: true } },
    ],
  ])('%j', (query, tls) => {
    expect(splitTlsMode(HOST + query)).toEqual({ url: HOST, tls });
  });

  test('leaves the other parameters in the URL', () => {
    expect(splitTlsMode(`${HOST}?sslmode=require&connect_timeout=3`).url).toBe(`${HOST}?connect_timeout=3`);
  });

  test('is refused when there is no such mode', () => {
    expect(() => splitTlsMode(`${HOST}?sslmode=on`)).toThrow('no such sslmode: on');
  });
});
