/** A version before `fixed` of a package has a known hole. `line`: only versions of that major are meant. */
export interface Advisory {
  readonly fixed: string;
  readonly line?: number;
  /** Of the advisory that names the version, or the latest of several. */
  readonly id: string;
}

/**
 * The lowest safe version of each package of the image that an advisory was ever written for. A registry's audit service
 * knows more and is not always there; this list is, and grows with each advisory that concerns us.
 */
export const ADVISORIES: Readonly<Record<string, readonly Advisory[]>> = {
  '@fastify/static': [{ fixed: '10.1.2', id: 'GHSA-8pvw-jcv7-9cmj' }],
  '@grpc/grpc-js': [{ fixed: '1.14.4', id: 'GHSA-5375-pq7m-f5r2' }],
  '@opentelemetry/core': [{ fixed: '2.8.0', id: 'GHSA-8988-4f7v-96qf' }],
  '@opentelemetry/exporter-prometheus': [{ fixed: '0.217.0', id: 'GHSA-q7rr-3cgh-j5r3' }],
  '@opentelemetry/sdk-node': [{ fixed: '0.217.0', id: 'GHSA-q7rr-3cgh-j5r3' }],
  ajv: [{ fixed: '8.18.0', id: 'GHSA-2g4f-4pwh-qvx6' }],
  amqplib: [{ fixed: '2.3.0', id: 'GHSA-37f9-7m79-6866' }],
  'ansi-regex': [{ fixed: '5.0.1', id: 'GHSA-93q8-gq69-wqmw' }],
  'brace-expansion': [
    { fixed: '2.1.4', line: 2, id: 'GHSA-rgw5-rvv9-x895' },
    { fixed: '5.0.9', line: 5, id: 'GHSA-rgw5-rvv9-x895' },
  ],
  debug: [{ fixed: '4.4.3', id: 'GHSA-8mgj-vmr8-frr6' }],
  'drizzle-orm': [{ fixed: '0.45.2', id: 'GHSA-gpj5-g38j-94v9' }],
  'fast-uri': [
    { fixed: '3.1.6', line: 3, id: 'GHSA-5jgf-p345-68v8' },
    { fixed: '4.1.4', line: 4, id: 'GHSA-5jgf-p345-68v8' },
  ],
  fastify: [{ fixed: '5.12.2', id: 'SNYK-JS-FASTIFY-19639040' }],
  'find-my-way': [{ fixed: '9.7.0', id: 'GHSA-c96f-x56v-gq3h' }],
  glob: [{ fixed: '11.1.0', id: 'GHSA-5j98-mcp5-4vw2' }],
  jose: [{ fixed: '4.15.5', id: 'GHSA-hhhv-q57g-882q' }],
  minimatch: [
    { fixed: '5.1.7', line: 5, id: 'GHSA-3ppc-4f35-3m26' },
    { fixed: '10.2.1', line: 10, id: 'GHSA-3ppc-4f35-3m26' },
  ],
  protobufjs: [{ fixed: '7.6.5', id: 'GHSA-j3f2-48v5-ccww' }],
  semver: [{ fixed: '7.5.2', id: 'GHSA-c2qf-rxjj-qqgw' }],
  undici: [{ fixed: '8.5.0', id: 'GHSA-38rv-x7px-6hhq' }],
  uuid: [{ fixed: '11.1.1', id: 'GHSA-w5hq-g745-h8pq' }],
  yaml: [{ fixed: '2.2.2', id: 'GHSA-f9xv-q969-pqx4' }],
  'yargs-parser': [{ fixed: '18.1.1', id: 'GHSA-p9pc-299p-vxgp' }],
};
