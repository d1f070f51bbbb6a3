import { describe, expect, it } from 'vitest';
import { cpuMsOf } from '../support/cpu-time.ts';
import { problemIn, scheduleBody, useServer } from './support.ts';

const BODY = scheduleBody();
const RAW = JSON.stringify(BODY);

/** The body with one more member, written as JSON text: for what `JSON.stringify` would not say. */
function withMember(member: string): string {
  return `${RAW.slice(0, -1)},${member}}`;
}

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

function http(http: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return scheduleBody({ target: { kind: 'HTTP', http: { url: 'https://example.com/', ...http } } });
}

function headers(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return http({ headers: given });
}

describe('a body that is no JSON object', () => {
  const server = useServer();

  it.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['blank', '   '],
    ['text', 'name=x'],
    ['cut off', RAW.slice(0, -1)],
    ['two values', `${RAW}${RAW}`],
    ['a trailing comma', `${RAW.slice(0, -1)},}`],
    ['NaN', withMember('"payload":NaN')],
    ['null', 'null'],
    ['an array', '[]'],
    ['a string', '"x"'],
    ['a number', '1'],
    ['UTF-16', Buffer.from(RAW, 'utf16le')],
    ['broken UTF-8', Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')])],
    ['a number beyond all', withMember('"payload":1e999')],
    ['a number below all', withMember('"payload":[-1e999]')],
    ['__proto__', withMember('"__proto__":{"admin":true}')],
    ['__proto__ within', withMember('"payload":{"a":[{"__proto__":1}]}')],
    ['an escaped __proto__', withMember('"payload":{"\\u005f_proto__":1}')],
    ['constructor.prototype', withMember('"payload":{"constructor":{"prototype":{"a":1}}}')],
    ['a field named twice', withMember('"name":"other"')],
    ['a field named twice within', withMember('"payload":{"a":[{"b":1,"c":{},"b":1}]}')],
    ['a field named twice, once escaped', withMember('"payload":{"a":1,"\\u0061":1}')],
    ['a whole number that would be rounded', withMember('"payload":[9007199254740993]')],
    ['a negative one', withMember('"payload":{"id":-12345678901234567890}')],
    ['NUL in a value', withMember('"payload":"a\\u0000b"')],
    ['NUL in a key', withMember('"payload":{"a\\u0000":1}')],
    ['a lone high surrogate', withMember('"payload":["\\ud800"]')],
    ['a lone low surrogate in a key', withMember('"payload":{"\\udc00":1}')],
    ['33 levels', withMember(`"payload":${nested(32)}`)],
    ['100,000 levels', withMember(`"payload":${nested(100_000)}`)],
    ['100,000 objects', withMember(`"payload":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`)],
  ])('is refused: %s', async (_what, body) => {
    const answer = await server().request('POST', '/schedules', { body });
    expect(problemIn(answer)).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
    expect(server().failures).toEqual([]);
  });

  it.each([
    ['"payload":{"a":["x","\\u0000"]}', 'payload.a.1', 'contains a NUL character'],
    ['"labels":{"\\u0000":"x"}', 'labels', 'contains a NUL character'],
    ['"payload":{"\\ud800":1}', 'payload', 'contains half of a surrogate pair'],
    ['"payload":{"a":1e999}', 'payload.a', 'is too large for a number'],
    ['"payload":{"a":{"__proto__":1}}', 'payload.a.__proto__', 'is not an allowed name'],
  ])('is refused with the place: %s', async (member, path, message) => {
    const answer = await server().request('POST', '/schedules', { body: withMember(member) });
    expect(problemIn(answer)).toMatchObject({ status: 400, detail: `${path} ${message}`, errors: [{ path, message }] });
  });

  it('but 32 levels, a byte order mark, odd names and large numbers are fine', async () => {
    const bodies = [
      withMember(`"payload":${nested(31)}`),
      `\ufeff${RAW}`,
      withMember('"payload":{"constructor":"x","prototype":1,"toString":null,"":0}'),
      withMember('"payload":"\\ud83d\\udcc5"'),
      withMember('"payload":{"a":{"b":1},"b":{"a":":\\"","c":"\\\\"},"d":[]}'),
      withMember('"payload":[9007199254740992,-9007199254740991,1000000000000000000000,0.12345678901234567,1e300]'),
    ];
    for (const body of bodies) expect((await server().request('POST', '/schedules', { body })).statusCode).toBe(201);
  });
});

describe('a schedule that cannot be', () => {
  const server = useServer();

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['name', { ...BODY, name: undefined }],
    ['name', scheduleBody({ name: '' })],
    ['name', scheduleBody({ name: 'x'.repeat(201) })],
    ['name', scheduleBody({ name: 'a\nb' })],
    ['name', scheduleBody({ name: 'a\rb' })],
    ['name', scheduleBody({ name: 'a\u2028b' })],
    ['name', scheduleBody({ name: 5 })],
    ['key', scheduleBody({ key: 'a b' })],
    ['key', scheduleBody({ key: '' })],
    ['key', scheduleBody({ key: 'a\n' })],
    ['key', scheduleBody({ key: 'k'.repeat(201) })],
    ['description', scheduleBody({ description: 'x'.repeat(2001) })],
    [
      'labels',
      scheduleBody({ labels: Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`k${index}`, 'v'])) }),
    ],
    ['labels.a', scheduleBody({ labels: { a: 'x\ny' } })],
    ['labels.a', scheduleBody({ labels: { a: null } })],
    ['labels.a:b', scheduleBody({ labels: { 'a:b': '1' } })],
    ['labels.a\nb', scheduleBody({ labels: { 'a\nb': '1' } })],
    ['labels.', scheduleBody({ labels: { '': '1' } })],
    ['labels', scheduleBody({ labels: ['a'] })],
    ['scope', scheduleBody({ scope: 'GLOBAL' })],
    ['organizationId', scheduleBody({ scope: 'TENANT', organizationId: 'o' })],
    ['tz', scheduleBody({ tz: 'Europe/Atlantis' })],
    ['tz', scheduleBody({ tz: '+01:00' })],
    ['tz', scheduleBody({ tz: '../etc/passwd' })],
    ['tz', scheduleBody({ tz: '' })],
    ['tz', scheduleBody({ tz: null })],
    ['trigger', { ...BODY, trigger: undefined }],
    ['trigger', scheduleBody({ trigger: '0 9 * * *' })],
    ['trigger.type', scheduleBody({ trigger: { type: 'cron', cron: '* * * * *' } })],
    ['trigger.type', scheduleBody({ trigger: {} })],
    ['trigger.cron', scheduleBody({ trigger: { type: 'CRON' } })],
    ['trigger.rrule', scheduleBody({ trigger: { type: 'CRON', cron: '* * * * *', rrule: 'FREQ=DAILY' } })],
    ['trigger.delaySec', scheduleBody({ trigger: { type: 'FIXED_DELAY', delaySec: 0 } })],
    ['trigger.delaySec', scheduleBody({ trigger: { type: 'FIXED_DELAY', delaySec: 1.5 } })],
    ['trigger.delaySec', scheduleBody({ trigger: { type: 'FIXED_DELAY', delaySec: '60' } })],
    ['trigger.repeat', scheduleBody({ trigger: { type: 'INTERVAL', every: '1h', repeat: 0 } })],
    ['target', { ...BODY, target: undefined }],
    ['target.kind', scheduleBody({ target: { kind: 'WORKFLOW', workflow: { id: 'x' } } })],
    ['target.eventTopic', scheduleBody({ target: { kind: 'EVENT' } })],
    ...['', 'a b', 'a.*', 'a.>', '.a', 'a.', 'a..b', 'a\nb', '$JS.API', 'é', 'x'.repeat(201)].map(
      (eventTopic): [string, Record<string, unknown>] => [
        'target.eventTopic',
        scheduleBody({ target: { kind: 'EVENT', eventTopic } }),
      ],
    ),
    ['target.queue.topic', scheduleBody({ target: { kind: 'QUEUE', queue: { topic: 'a b' } } })],
    ['target.queue.driver', scheduleBody({ target: { kind: 'QUEUE', queue: { topic: 'a', driver: 'KAFKA' } } })],
    ...Object.entries({ delay: 1, jobName: '', attempts: 0, priority: 256, ttlSec: 0 }).map(
      ([option, value]): [string, Record<string, unknown>] => [
        `target.queue.options.${option}`,
        scheduleBody({ target: { kind: 'QUEUE', queue: { topic: 'a', options: { [option]: value } } } }),
      ],
    ),
    ['target.command.name', scheduleBody({ target: { kind: 'COMMAND', command: { name: 'a b' } } })],
    ...[
      '',
      'example.com',
      '/path',
      'ftp://example.com',
      'javascript:alert(1)',
      'file:///etc/passwd',
      'http://',
      'https://u:p@example.com/',
      'https://u@example.com/',
      'http://exa mple.com',
      'http://a\nb',
      ' https://example.com',
      `https://example.com/${'x'.repeat(2048)}`,
    ].map((url): [string, Record<string, unknown>] => ['target.http.url', http({ url })]),
    ['target.http.method', http({ method: 'TRACE' })],
    ['target.http.method', http({ method: 'post' })],
    ['target.http.timeout', http({ timeout: 1 })],
    ...[
      'Host',
      'connection',
      'Transfer-Encoding',
      'CONTENT-LENGTH',
      'te',
      'Upgrade',
      'webhook-id',
      'Webhook-Signature',
      'X-Scheduler-Run-Id',
      'Idempotency-Key',
      'a b',
      'a:b',
      'a\nb',
      ':authority',
      '',
      'é',
    ].map((name): [string, Record<string, unknown>] => [`target.http.headers.${name}`, headers({ [name]: 'x' })]),
    ...[
      'a\r\nX: y',
      'a\nb',
      '\u0001',
      '日本',
      '{{secret:}}',
      'Bearer {{secret:no name}}',
      '********',
      'x'.repeat(4097),
      5,
    ].map((value): [string, Record<string, unknown>] => ['target.http.headers.X-A', headers({ 'X-A': value })]),
    ['target.http.headers.x-a', headers({ 'X-A': '1', 'x-a': '2' })],
    ['target.http.headers', headers(Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`X-${index}`, 'v'])))],
    ['enabled', scheduleBody({ enabled: 'yes' })],
    ...[
      '2030-01-01',
      '2030-01-01T00:00:00',
      '2030-02-30T00:00:00Z',
      '2030-01-01 00:00:00Z',
      '0000-01-01T00:00:00Z',
      '1969-12-31T23:59:59Z',
      '9999-12-31T23:59:59Z',
      '2030-01-01T24:00:00Z',
      1893456000000,
      'now',
    ].map((startAt): [string, Record<string, unknown>] => ['startAt', scheduleBody({ startAt })]),
    ['endAt', scheduleBody({ startAt: '2030-01-02T00:00:00Z', endAt: '2030-01-01T00:00:00Z' })],
    [
      'startAt',
      scheduleBody({ trigger: { type: 'ONE_SHOT', startAt: '2030-01-01T00:00:00Z' }, startAt: '2030-01-01T00:00:00Z' }),
    ],
    ['maxFires', scheduleBody({ maxFires: 0 })],
    ['maxFires', scheduleBody({ maxFires: 2 ** 31 })],
    ['maxFires', scheduleBody({ maxFires: 1.5 })],
    ['jitter', scheduleBody({ jitter: '30' })],
    ['jitter', scheduleBody({ jitter: 'P1M' })],
    ['jitter', scheduleBody({ jitter: 'PT25H' })],
    ['dst.gap', scheduleBody({ dst: { gap: 'IGNORE' } })],
    ['dst.fold', scheduleBody({ dst: { fold: null } })],
    ['overlapPolicy', scheduleBody({ overlapPolicy: 'skip' })],
    ['misfire.policy', scheduleBody({ misfire: { policy: 'NEVER' } })],
    ['misfire.thresholdSec', scheduleBody({ misfire: { thresholdSec: -1 } })],
    ['misfire.windowSec', scheduleBody({ misfire: { thresholdSec: 120, windowSec: 60 } })],
    ['retry.maxAttempts', scheduleBody({ retry: { maxAttempts: 0 } })],
    ['retry.maxAttempts', scheduleBody({ retry: { maxAttempts: 1e9 } })],
    ['retry.maxDelaySec', scheduleBody({ retry: { initialDelaySec: 60, maxDelaySec: 30 } })],
    ['retry.backoffCoefficient', scheduleBody({ retry: { backoffCoefficient: 0.5 } })],
    ['retry.jitter', scheduleBody({ retry: { jitter: 2 } })],
    ['retry', scheduleBody({ retry: null })],
    ['timeoutSec', scheduleBody({ timeoutSec: 0 })],
    ['timeoutSec', scheduleBody({ timeoutSec: 901 })],
    ['timeoutSec', scheduleBody({ timeoutSec: 30.5 })],
    ['pauseOnFailures', scheduleBody({ pauseOnFailures: 0 })],
    ['pauseOnFailures', scheduleBody({ pauseOnFailures: 1001 })],
    ['onCompletion', scheduleBody({ onCompletion: 'ARCHIVE' })],
    ...['excluded', 'monitor', 'flag', 'id', 'state', 'version', 'nextFireAt', 'toString', 'NAME'].map(
      (field): [string, Record<string, unknown>] => [field, scheduleBody({ [field]: null })],
    ),
  ])('for its %s: %#', async (path, body) => {
    const answer = await server().request('POST', '/schedules', { body });
    expect(problemIn(answer)).toMatchObject({
      status: 400,
      code: 'VALIDATION_FAILED',
      errors: [{ path, message: expect.stringMatching(/^[a-z].{3,}/) }],
    });
    expect(server().failures).toEqual([]);
  });

  it.each<[string, number, Readonly<Record<string, unknown>>]>([
    ['INVALID_TRIGGER', 400, { type: 'CRON', cron: '' }],
    ['INVALID_TRIGGER', 400, { type: 'CRON', cron: '* * * *' }],
    ['INVALID_TRIGGER', 400, { type: 'CRON', cron: '*/61 * * * *' }],
    ['INVALID_TRIGGER', 400, { type: 'CRON', cron: '@reboot' }],
    ['INVALID_TRIGGER', 400, { type: 'CRON', cron: 'x'.repeat(100_000) }],
    ['INVALID_TRIGGER', 400, { type: 'CRON', cron: `${'1,'.repeat(200_000)}1 * * * *` }],
    ['TRIGGER_NEVER_FIRES', 422, { type: 'CRON', cron: '0 0 30 2 *' }],
    ['INVALID_TRIGGER', 400, { type: 'RRULE', rrule: '' }],
    ['INVALID_TRIGGER', 400, { type: 'RRULE', rrule: 'FREQ=DAILY;BYMONTHDAY=99' }],
    ['INVALID_TRIGGER', 400, { type: 'RRULE', rrule: 'FREQ=DAILY;INTERVAL=-1' }],
    [
      'INVALID_TRIGGER',
      400,
      { type: 'RRULE', rrule: 'FREQ=DAILY', exdates: Array.from({ length: 2000 }, () => '2030-01-01T00:00:00Z') },
    ],
    ['INVALID_TRIGGER', 400, { type: 'RRULE', rrule: 'FREQ=DAILY', dtstart: 'yesterday' }],
    ['INVALID_TRIGGER', 400, { type: 'INTERVAL', every: 'PT0S' }],
    ['INVALID_TRIGGER', 400, { type: 'INTERVAL', every: 'soon' }],
    ['INVALID_TRIGGER', 400, { type: 'INTERVAL' }],
    ['INVALID_TRIGGER', 400, { type: 'INTERVAL', iso8601: 'R/x/y' }],
    ['INVALID_TRIGGER', 400, { type: 'INTERVAL', every: 'PT1H', iso8601: 'R10/2026-01-01T00:00:00Z/PT6H' }],
    ['INVALID_TRIGGER', 400, { type: 'ONE_SHOT', startAt: '2030-02-30T00:00:00Z' }],
    ['TRIGGER_NEVER_FIRES', 422, { type: 'ONE_SHOT', startAt: '2001-01-01T00:00:00Z' }],
  ])('for its trigger: %s (%i), %#', async (code, status, trigger) => {
    const tookMs = await cpuMsOf(async () => {
      const answer = await server().request('POST', '/schedules', { body: scheduleBody({ trigger }) });
      expect(problemIn(answer)).toMatchObject({ status, code });
    });
    expect(tookMs).toBeLessThan(1000);
  });

  it('tells of every wrong field at once', async () => {
    const answer = await server().request('POST', '/schedules', {
      body: scheduleBody({ name: '', tz: 'X', timeoutSec: 0, extra: 1 }),
    });
    const { errors } = answer.json();
    expect(errors.map(({ path }: { path: string }) => path).toSorted()).toEqual(['extra', 'name', 'timeoutSec', 'tz']);
  });

  it('repeats neither secrets nor endless names', async () => {
    const secret = await server().request('POST', '/schedules', { body: headers({ Authorization: 'canary\n' }) });
    expect(secret.body).not.toContain('canary');
    const endless = await server().request('POST', '/schedules', {
      body: scheduleBody({
        ['k'.repeat(500_000)]: 1,
        ...Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`u${index}`, 1])),
      }),
    });
    expect([endless.statusCode, endless.json().errors.length, endless.body.length < 10_000]).toEqual([400, 50, true]);
  });

  it.each([
    ['payload', scheduleBody({ payload: 'x'.repeat(256 * 1024 - 1) })],
    ['target.http.body', http({ body: { a: 'é'.repeat(128 * 1024) } })],
  ])('for its %s over 256 KiB', async (path, body) => {
    const answer = await server().request('POST', '/schedules', { body });
    expect(problemIn(answer)).toMatchObject({ status: 413, code: 'PAYLOAD_TOO_LARGE', errors: [{ path }] });
  });

  it('but for a payload of exactly 256 KiB it can', async () => {
    expect(
      (await server().request('POST', '/schedules', { body: scheduleBody({ payload: 'x'.repeat(256 * 1024 - 2) }) }))
        .statusCode,
    ).toBe(201);
  });
});
