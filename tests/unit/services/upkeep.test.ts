import { expect, it } from 'vitest';
import type { NodeRecord, UpkeepStore } from '../../../src/domain/ports/upkeep-store.ts';
import { NodeService } from '../../../src/domain/services/node-service.ts';
import { UpkeepService } from '../../../src/domain/services/upkeep-service.ts';
import { silentJournal } from '../../support/scheduling.ts';

/* Who keeps the store in order, and what a node of each role does beside it. */

/** Services that only say what was asked of them. */
function open(given: { readonly hasRole: boolean; readonly roles?: readonly string[] }) {
  const asked: string[] = [];
  const ask =
    <T>(name: string, answer: T) =>
    async (): Promise<T> => {
      asked.push(name);
      return answer;
    };
  const others = { isManned: true };
  const store: UpkeepStore = {
    heartbeat: ask('heartbeat', undefined),
    leave: ask('leave', undefined),
    isUpkeepManned: async () => others.isManned,
    makePartitions: ask('partitions', undefined),
    dropRunsOlderThan: ask('retention', 0),
    dueResumes: ask('resumes', []),
    removeSchedulesGoneFor: ask('schedules', 0),
    removeVersionsGoneFor: ask('versions', 0),
    repairWaiting: ask('repair', { count: 0, over: [] }),
    forgetIdempotencyKeys: ask('idempotency keys', undefined),
    forgetAudit: ask('audit', undefined),
  };
  const clock = { now: () => 0, monotonic: () => 0, observe: () => undefined };
  const tenants = { learnGrants: ask('grants', undefined), step: ask('tenants', false) };
  const upkeep = new UpkeepService({
    store,
    clock,
    tenants,
    journal: silentJournal(),
    scheduling: { resume: () => Promise.reject(new Error('nothing is to be resumed')) },
    hasRole: given.hasRole,
    retentionDays: 30,
    auditRetentionDays: 30,
    calendars: { takeOver: ask('calendars', false) },
    watch: { step: ask('watch', undefined) },
  });
  const record: NodeRecord = { id: 'node', build: 'b', tzdata: 't', roles: given.roles ?? [], commands: [] };
  const zones = { step: ask('zones', false) };
  const node = new NodeService({ store, zones, tenants, journal: silentJournal(), node: () => record });
  return { upkeep, node, others, asked };
}

const ALL = [
  'resumes',
  'partitions',
  'retention',
  'schedules',
  'versions',
  'repair',
  'watch',
  'idempotency keys',
  'audit',
  'calendars',
  'tenants',
];

it('a process with the role does all of it, whoever else does', async () => {
  const { upkeep, asked } = open({ hasRole: true });
  await upkeep.step();
  expect([upkeep.isOnDuty, asked]).toEqual([true, ALL]);
});

it('an engine leaves it to nodes with the role, stands in while none lives, and ends that when one comes', async () => {
  const { upkeep, others, asked } = open({ hasRole: false });
  await upkeep.step();
  expect([upkeep.isOnDuty, asked.splice(0)]).toEqual([false, []]);
  others.isManned = false;
  await upkeep.step();
  expect([upkeep.isOnDuty, asked.splice(0)]).toEqual([true, ALL]);
  others.isManned = true;
  await upkeep.step();
  expect([upkeep.isOnDuty, asked]).toEqual([false, []]);
});

it('only an engine learns what tenants were granted, and looks after zone data', async () => {
  const engine = open({ hasRole: false, roles: ['engine'] });
  await engine.node.prepare();
  expect(engine.asked).toEqual(['partitions', 'heartbeat', 'grants', 'zones']);
  const other = open({ hasRole: true, roles: ['upkeep'] });
  await other.node.prepare();
  expect(other.asked).toEqual(['partitions', 'heartbeat']);
});
