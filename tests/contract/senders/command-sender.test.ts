import { expect, test } from 'vitest';
import type { Delivery } from '../../../src/domain/ports/sender.ts';
import {
  type CommandContext,
  type CommandFunction,
  CommandSender,
} from '../../../src/infra/messaging/command-sender.ts';
import { aDelivery, noDeadline, SLOT } from './deliveries.ts';

const target = { kind: 'COMMAND', command: { name: 'report' } } as const;

function sending(
  command: CommandFunction,
  signal = noDeadline(),
  change: Partial<Delivery> = {},
): ReturnType<CommandSender['send']> {
  return new CommandSender(new Map([['report', command]])).send(aDelivery(target, change), signal);
}

test('a command is told its run, and returning is success', async () => {
  const contexts: CommandContext[] = [];
  const signal = noDeadline();
  const outcome = await sending(({ runId, ...rest }) => contexts.push({ runId, ...rest }), signal, { attempt: 2 });
  const { runId, key, tenantId, payload } = aDelivery(target);
  expect(outcome).toEqual({ kind: 'accepted', attempt: 'ACCEPTED' });
  expect(contexts).toEqual([
    { runId, scheduleId: key.scheduleId, tenantId, scheduledFor: new Date(SLOT), attempt: 2, payload, signal },
  ]);
});

test('resolving is success, rejecting is tried again with the message alone', async () => {
  expect((await sending(async () => 'whatever')).kind).toBe('accepted');
  expect(await sending(() => Promise.reject(new Error('ledger\nlocked')))).toEqual({
    kind: 'unanswered',
    attempt: 'FAILED',
    reason: 'ledger locked',
  });
});

test('throwing is tried again, whatever was thrown, with at most 500 characters', async () => {
  const throwing = (thrown: unknown): ReturnType<CommandSender['send']> =>
    sending(() => {
      throw thrown;
    });
  expect(await throwing(new Error('x'.repeat(1000)))).toEqual({
    kind: 'unanswered',
    attempt: 'FAILED',
    reason: 'x'.repeat(500),
  });
  expect(await throwing('words')).toMatchObject({ reason: 'words' });
  expect(await throwing(undefined)).toMatchObject({ reason: 'thrown without an error: undefined' });
  expect(await throwing(Object.create(null))).toMatchObject({ reason: 'thrown without an error: object' });
  expect(await throwing(new Error(''))).toMatchObject({ reason: 'Error' });
});

test('an error that says it is not retryable is final', async () => {
  const final = Object.assign(new Error('no such account'), { retryable: false });
  expect(await sending(() => Promise.reject(final))).toEqual({
    kind: 'refused',
    why: 'REFUSED',
    attempt: 'FAILED',
    reason: 'no such account',
  });
});

test('a node without the command hands the run back', async () => {
  const outcome = await new CommandSender(new Map()).send(aDelivery(target), noDeadline());
  expect(outcome).toEqual({
    kind: 'aborted',
    attempt: 'ABORTED',
    reason: 'command "report" is not registered on this node',
    retryAfterMs: 1000,
  });
});

test("a command that ignores its signal ends at the deadline all the same, and its late failure is nobody's", async () => {
  const late = Promise.withResolvers<void>();
  const controller = new AbortController();
  const outcome = sending(() => late.promise, controller.signal);
  controller.abort(new DOMException('too late', 'TimeoutError'));
  expect(await outcome).toEqual({
    kind: 'unanswered',
    attempt: 'TIMEOUT',
    reason: 'no answer before the deadline',
    possibleDuplicate: true,
  });
  late.reject(new Error('much later'));
  await expect(late.promise).rejects.toThrow('much later');
});

test('a command that stops because its signal aborted at shutdown hands the run back', async () => {
  const controller = new AbortController();
  const outcome = sending(
    ({ signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    controller.signal,
  );
  controller.abort(new Error('shutting down'));
  expect(await outcome).toEqual({
    kind: 'aborted',
    attempt: 'ABORTED',
    reason: 'stopped before an answer came',
    possibleDuplicate: true,
  });
});

test('an aborted signal starts nothing', async () => {
  let calls = 0;
  const outcome = await sending(() => (calls += 1), AbortSignal.abort(new Error('shutting down')));
  expect([outcome.kind, calls]).toEqual(['aborted', 0]);
});

test('what is registered later counts from then on', async () => {
  const commands = new Map<string, CommandFunction>();
  const sender = new CommandSender(commands);
  commands.set('report', () => undefined);
  expect((await sender.send(aDelivery(target), noDeadline())).kind).toBe('accepted');
});
