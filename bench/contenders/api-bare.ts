import Fastify from 'fastify';
import postgres from 'postgres';

/*
 * What the API is compared with: a bare Fastify server that selects and inserts rows of our table `schedules` through postgres.js. No token, no
 * tenant, no validation, no version, no timer.
 */

const sql = postgres(process.env['BENCH_POSTGRES_URL'] ?? '', { max: 10, onnotice: () => undefined });
await sql`create table bare (like schedules including all)`;
const app = Fastify();
app.get<{ Params: { id: string } }>('/schedules/:id', async (request) => {
  const [row] = await sql`select * from bare where id = ${request.params.id}`;
  return row;
});
app.post<{ Body: { id: string; name: string; trigger: object; target: object } }>(
  '/schedules',
  async (request, reply) => {
    const { id, name, trigger, target } = request.body;
    const [row] = await sql`
    insert into bare (tenant_id, id, name, labels, scope, tz, trigger, target, dst, overlap_policy, misfire, retry, timeout_sec, on_completion, state, version,
                      definition_version, created_at, updated_at, created_by)
    values ('bench', ${id}, ${name}, '{}', 'TENANT', 'UTC', ${sql.json({ ...trigger })}, ${sql.json({ ...target })}, '{}', 'SKIP', '{}', '{}', 30, 'KEEP', 'ACTIVE', 1, 1, now(), now(), 'bench')
    returning *`;
    return reply.code(201).send(row);
  },
);
await app.listen({ port: Number(process.env['BENCH_PORT']), host: '127.0.0.1' });
process.on('message', () => {
  void Promise.all([app.close(), sql.end()]).then(() => process.exit(0));
});
process.on('disconnect', () => process.exit(1));
process.send?.('up');
