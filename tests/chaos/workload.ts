import { anotherTrigger, bodyOf, datesOf, shownTrigger, stretchToBackfill } from './bodies.ts';
import { type ApiRequest, callApi, type Issuer, type Reply } from './client.ts';
import type { Operation, OperationKind, Plan } from './history.ts';
import type { Receivers } from './receivers.ts';
import { BURST, type RequestStep } from './steps.ts';

/** What requests are made with. */
export interface WorkloadParts {
  readonly plans: readonly Plan[];
  readonly receivers: Receivers;
  readonly issuer: Issuer;
  /** Where each node's API listens. */
  readonly apis: readonly string[];
}

/** The clients of a campaign: they create, change and delete schedules, and write down what they were told. */
export class Workload {
  readonly operations: Operation[] = [];
  readonly #parts: WorkloadParts;
  readonly #ids = new Map<number, string>();
  #mark = 0;

  constructor(parts: WorkloadParts) {
    this.#parts = parts;
  }

  /** Makes the request of a step; answers what came of it in a few words. */
  async perform(step: RequestStep): Promise<string> {
    if (step.kind === 'burst') return this.#createTogether(step);
    const id = this.#ids.get(step.plan);
    if (step.kind === 'create') return this.create(step.plan, step.node);
    if (id === undefined) return 'the schedule is not there yet';
    switch (step.kind) {
      case 'calendar':
        return this.#changeCalendar(step);
      case 'cancel':
      case 'retry':
        return this.#changeRun(step, id);
      case 'backfill':
        return this.#backfill(step, id);
      case 'patch':
      case 'retrigger':
        return this.#patch(step, id);
      default:
        return this.#act(step, id);
    }
  }

  /** Asks again, of another node, until it is known what became of it: its key or its Idempotency-Key makes that safe. */
  async create(index: number, node: number): Promise<string> {
    const plan = this.#planAt(index);
    const mark = this.#nextMark();
    const name = `plan-${index}`;
    const body = { ...this.#bodyOf(plan, mark), ...(plan.isKeyed && { key: name }) };
    const safe = plan.isKeyed ? {} : { idempotencyKey: name };
    const request = { method: 'POST', path: '/schedules', body, ...safe } as const;
    for (let turn = 0; ; turn += 1) {
      const step = { kind: 'create', node: node + turn, plan: index, dice: 0 } as const;
      const { reply } = await this.#send(step, request, (answer) => ({
        mark,
        // It is there already: an answer before this one was lost.
        ...(isTaken(answer) && { outcome: 'ok' as const, version: 1 }),
      }));
      if (reply.outcome === 'ok') this.#ids.set(index, textOf(reply.body['id']) ?? '');
      if (isTaken(reply)) await this.#find(step);
      const isSettled = reply.outcome === 'ok' || (reply.outcome === 'refused' && reply.status !== null);
      if (isSettled || turn === 20) return said(reply);
    }
  }

  async #createTogether({ plan, node }: RequestStep): Promise<string> {
    const all = await Promise.all(Array.from({ length: BURST }, (_, turn) => this.create(plan + turn, node)));
    return [...new Set(all)].join(', ');
  }

  /** Learns the id of a schedule from its label. */
  async #find(step: RequestStep): Promise<void> {
    const { tenant } = this.#planAt(step.plan);
    const path = `/schedules?label=plan:${step.plan}&limit=1`;
    const { body } = await this.#call(step.node, { method: 'GET', path, tenant });
    const [schedule] = Array.isArray(body['items']) ? body['items'] : [];
    const id = textOf(schedule?.id);
    if (id !== undefined) this.#ids.set(step.plan, id);
  }

  /** Makes each tenant's calendar; those of every other tenant exclude the days of the campaign. */
  async createCalendars(): Promise<void> {
    const dated = this.#parts.plans.filter(({ calendar }) => calendar !== null);
    const firsts = dated.filter(({ tenant }, index) => dated.findIndex((one) => one.tenant === tenant) === index);
    for (const [turn, { index: plan, calendar }] of firsts.entries()) {
      const isShut = turn % 2 === 0;
      const request = { method: 'POST', path: '/calendars', body: { name: calendar, ...datesOf(isShut) } } as const;
      await this.#send({ kind: 'calendar', node: turn, plan, dice: 0 }, request, () => ({ isShut }));
    }
  }

  /** Takes a stopped schedule up again, so that it can come to its end. */
  async resume(index: number, node: number): Promise<void> {
    await this.perform({ kind: 'resume', plan: index, node, dice: 0 });
  }

  #act(step: RequestStep, id: string): Promise<string> {
    const missed = ['SKIP', 'FIRE_ONCE', 'FIRE_ALL'][Math.floor(step.dice * 3)];
    const verb = step.kind === 'delete' ? '' : `/${step.kind}`;
    const body = step.kind === 'resume' ? { missed } : step.kind === 'delete' ? undefined : {};
    const request = {
      method: step.kind === 'delete' ? ('DELETE' as const) : ('POST' as const),
      path: `/schedules/${id}${verb}`,
      ...(body !== undefined && step.kind !== 'skip-next' && { body }),
    };
    return this.#send(step, request, (reply) => ({
      ...(step.kind === 'trigger' ? { runId: textOf(reply.body['id']) } : { version: numberOf(reply.body['version']) }),
    })).then(({ reply }) => said(reply));
  }

  async #patch(step: RequestStep, id: string): Promise<string> {
    const mark = this.#nextMark();
    const plan = this.#planAt(step.plan);
    const { target, payload } = this.#bodyOf(plan, mark);
    const trigger = step.kind === 'retrigger' ? anotherTrigger(plan, step.dice) : undefined;
    const body = { target, payload, ...(trigger !== undefined && { trigger: shownTrigger(trigger) }) };
    const request = { method: 'PATCH', path: `/schedules/${id}`, body } as const;
    const { reply } = await this.#send(step, request, ({ body: shown }) => ({
      ...{ mark, version: numberOf(shown['version']), trigger },
    }));
    return said(reply);
  }

  async #changeCalendar(step: RequestStep): Promise<string> {
    const isShut = step.dice < 0.5;
    const path = `/calendars/${this.#planAt(step.plan).calendar}`;
    const { reply } = await this.#send(step, { method: 'PUT', path, body: datesOf(isShut) }, () => ({ isShut }));
    return `${said(reply)}, ${isShut ? 'shut' : 'open'}`;
  }

  async #backfill(step: RequestStep, id: string): Promise<string> {
    const { from, to } = stretchToBackfill(this.#planAt(step.plan), step.dice);
    const body = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
    const request = { method: 'POST', path: `/schedules/${id}/backfills`, body } as const;
    const { reply } = await this.#send(step, request, ({ body: shown }) => ({
      from,
      to: typeof shown['to'] === 'string' ? Date.parse(shown['to']) : to,
    }));
    return `${said(reply)}, ${numberOf(reply.body['count']) ?? 'no'} slots`;
  }

  /** Cancels an open run of the schedule, or tries a dead one again. */
  async #changeRun(step: RequestStep, id: string): Promise<string> {
    const states = step.kind === 'retry' ? ['DEAD'] : ['RUNNING', 'RETRYING', 'PENDING'];
    const state = states[Math.floor(step.dice * states.length)];
    const tenant = this.#planAt(step.plan).tenant;
    const list = await this.#call(step.node, {
      method: 'GET',
      path: `/schedules/${id}/runs?state=${state}&limit=1`,
      tenant,
    });
    const [run] = Array.isArray(list.body['items']) ? list.body['items'] : [];
    const runId = textOf(run?.id);
    if (runId === undefined) return `no run is ${state}`;
    const { reply } = await this.#send(step, { method: 'POST', path: `/runs/${runId}/${step.kind}` }, () => ({
      runId,
    }));
    return `${said(reply)}, run ${runId}`;
  }

  async #send(
    step: RequestStep,
    request: Omit<ApiRequest, 'tenant'>,
    more: (reply: Reply) => Partial<Operation>,
  ): Promise<{ readonly reply: Reply }> {
    const { tenant } = this.#planAt(step.plan);
    let at = Date.now();
    let reply = await this.#call(step.node, { ...request, tenant });
    // A node that is not there has done nothing: another is asked, as a load balancer would.
    for (
      let turn = 1;
      turn < this.#parts.apis.length && reply.outcome === 'refused' && reply.status === null;
      turn += 1
    ) {
      at = Date.now();
      reply = await this.#call(step.node + turn, { ...request, tenant });
    }
    const version = numberOf(reply.body['version']);
    const { outcome } = reply;
    this.operations.push({
      kind: operationOf(step),
      plan: step.plan,
      at,
      until: Date.now(),
      outcome,
      version,
      ...more(reply),
    });
    return { reply };
  }

  #call(node: number, request: ApiRequest): Promise<Reply> {
    const { apis, issuer } = this.#parts;
    return callApi(apis[node % apis.length] ?? '', issuer, request);
  }

  #planAt(index: number): Plan {
    const plan = this.#parts.plans[index];
    if (plan === undefined) throw new Error(`there is no plan ${index}`);
    return plan;
  }

  #bodyOf(plan: Plan, mark: number) {
    return bodyOf(plan, this.#parts.receivers.urlOf(plan.index, mark), mark);
  }

  #nextMark(): number {
    this.#mark += 1;
    return this.#mark;
  }
}

function operationOf({ kind }: RequestStep): OperationKind {
  return kind === 'retrigger' ? 'patch' : kind === 'burst' ? 'create' : kind;
}

function isTaken({ body }: Reply): boolean {
  return body['code'] === 'ALREADY_EXISTS';
}

function said({ outcome, status, body }: Reply): string {
  return `${outcome} ${status ?? ''} ${textOf(body['code']) ?? ''}`.trim();
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
