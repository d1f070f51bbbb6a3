import { describe, expect, it } from 'vitest';
import { startServer, useServer } from './support.ts';

describe('/echo', () => {
  const server = useServer();

  it.each([
    ['POST', '/echo', 'application/json', '{"a":1}', { a: 1 }],
    ['PUT', '/echo/some/path?x=1', 'text/plain', 'hello', 'hello'],
    ['PATCH', '/echo', 'application/json', '{broken', '{broken'],
    ['DELETE', '/echo/x', 'application/octet-stream', '', ''],
    ['GET', '/echo', 'text/plain', '', ''],
    ['POST', '/echo', 'application/cloudevents+json; charset=utf-8', '{"b":2}', { b: 2 }],
  ] as const)('answers 200 to %s %s (%s)', async (...[method, url, type, body, shown]) => {
    const answer = await server().request(method, url, {
      as: null,
      body,
      headers: { 'content-type': type, 'x-probe': 'yes' },
    });
    expect([answer.statusCode, answer.json()]).toEqual([200, { received: expect.any(Number) }]);
    const [newest] = (await server().request('GET', '/echo/requests', { as: null })).json().items;
    expect(newest).toMatchObject({
      number: answer.json().received,
      kind: 'HTTP',
      method,
      path: url,
      body: shown,
      truncated: false,
      headers: { 'x-probe': 'yes' },
    });
  });

  it('keeps the last 100, newest first, and 64 KiB of each', async () => {
    for (let index = 0; index < 105; index += 1)
      await server().request('POST', '/echo', { as: null, body: `{"index":${index}}` });
    await server().request('POST', '/echo', {
      as: null,
      body: 'x'.repeat(300_000),
      headers: { 'content-type': 'text/plain' },
    });
    const { items } = (await server().request('GET', '/echo/requests', { as: null })).json();
    expect([items.length, items[0].body.length, items[0].truncated, items[1].body, items[99].body]).toEqual([
      100,
      65_536,
      true,
      { index: 104 },
      { index: 6 },
    ]);
  });

  it('lists messages of the in-process bus beside requests', async () => {
    server().echo.record('EVENT', {
      method: null,
      path: 'reports.daily',
      headers: { 'Nats-Msg-Id': 'r' },
      body: '{"specversion":"1.0"}',
    });
    const [newest] = (await server().request('GET', '/echo/requests', { as: null })).json().items;
    expect(newest).toMatchObject({
      kind: 'EVENT',
      method: null,
      path: 'reports.daily',
      headers: { 'Nats-Msg-Id': 'r' },
      body: { specversion: '1.0' },
    });
  });

  it('is not there outside the embedded mode', async () => {
    const plain = await startServer({ echo: null });
    const answers = [await plain.request('POST', '/echo'), await plain.request('GET', '/echo/requests')];
    await plain.close();
    expect(answers.map((answer) => answer.statusCode)).toEqual([404, 404]);
  });
});
