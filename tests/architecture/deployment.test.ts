import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { environmentSchema } from '../../src/config.ts';

const dockerfile = read('Dockerfile');
const compose = read('docker-compose.yml');
const runtime = JSON.parse(read('tools/runtime/package.json')) as { version: string };
const lock = JSON.parse(read('package-lock.json')) as {
  packages: Record<string, { dev?: boolean; devOptional?: boolean; link?: boolean }>;
};
const port = environmentSchema.shape.PORT.parse(undefined);

describe('the image', () => {
  it('is made on the Node that the scripts run on', () => {
    const images = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
    expect(new Set(images)).toEqual(new Set([`node:${runtime.version.split('.')[0]}-slim`]));
  });

  it('copies what exists, and .dockerignore lets it through', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths]) =>
      (paths ?? '').split(' '),
    );
    const letThrough = [...read('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, path]) => path);
    expect(copied.filter((path) => !existsSync(path))).toEqual([]);
    expect(new Set(copied)).toEqual(new Set(letThrough));
  });

  it('runs the process door as a numbered user that is not root', () => {
    expect(dockerfile).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m);
    expect(dockerfile).toMatch(/^ENTRYPOINT \["node", .*"dist\/main\.js"\]$/m);
    expect(existsSync('src/main.ts')).toBe(true);
  });

  it('gives Node the options that npm start gives it', () => {
    const started = (JSON.parse(read('package.json')) as { scripts: { start: string } }).scripts.start.split(' ');
    const entered = JSON.parse(/^ENTRYPOINT (.+)$/m.exec(dockerfile)?.[1] ?? '[]') as string[];
    expect(entered.slice(0, -1)).toEqual(started.slice(0, -1));
    expect(started.length).toBeGreaterThan(2);
  });

  it('shows and checks the port the service listens on', () => {
    expect(dockerfile).toContain(`EXPOSE ${port}\n`);
    expect(dockerfile).toContain(`process.env.PORT || ${port}}/live`);
  });

  it('holds neither the embedded server, nor a second Node, nor a tool', () => {
    const production = Object.entries(lock.packages)
      .filter(([path, entry]) => path !== '' && entry.dev !== true && entry.devOptional !== true && entry.link !== true)
      .map(([path]) => path.replace(/^.*node_modules\//, ''));
    for (const name of ['fastify', 'bullmq', 'amqplib']) expect(production).toContain(name);
    expect(
      production.filter((name) =>
        /embedded|^node-(linux|darwin|win|bin)|vitest|(^|\/)typescript(-(?!helpers)|$)|biome/.test(name),
      ),
    ).toEqual([]);
  });
});

describe('docker-compose.yml', () => {
  const services = sectionsOf(compose);

  it('has the service, its migration, and the servers they use', () => {
    expect([...services.keys()]).toEqual(['scheduler', 'migrate', 'postgres', 'nats', 'rabbitmq', 'redis', 'jaeger']);
  });

  it('opens ports on loopback only', () => {
    const ports = [...compose.matchAll(/^ +ports: (.+)$/gm)].flatMap(([, list]) => [
      ...(list ?? '').matchAll(/'([^']+)'/g),
    ]);
    expect(ports.length).toBeGreaterThan(4);
    expect(ports.map(([, mapping]) => mapping).filter((mapping) => mapping?.startsWith('127.0.0.1:') !== true)).toEqual(
      [],
    );
  });

  it('gives the service variables that it knows', () => {
    const names = [...(services.get('scheduler') ?? '').matchAll(/^ {6}([A-Z][A-Z0-9_]*):/gm)].map(
      ([, name]) => name ?? '',
    );
    expect(names).toContain('POSTGRES_URL');
    expect(names.filter((name) => !Object.hasOwn(environmentSchema.shape, name))).toEqual([]);
  });

  it('waits for each server’s health', () => {
    const unchecked = [...services].filter(([, text]) => !text.includes('healthcheck:')).map(([name]) => name);
    expect(unchecked).toEqual(['scheduler', 'jaeger']);
  });
});

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

/** The services of a compose file, by indentation. */
function sectionsOf(text: string): Map<string, string> {
  const body = /^services:\n([\s\S]*?)^\S/m.exec(text)?.[1] ?? '';
  const parts = body.split(/^ {2}([a-z-]+):\n/m).slice(1);
  return new Map(parts.flatMap((name, index) => (index % 2 === 0 ? [[name, parts[index + 1] ?? '']] : [])));
}
