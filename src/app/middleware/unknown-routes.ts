import type { FastifyInstance, HTTPMethods, RouteOptions } from 'fastify';
import { DomainError } from '../../domain/errors.ts';
import { HttpError } from './problem.ts';

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'];

/** Answers 404 where there is no route, before a body is read. */
export function refuseUnknownPaths(app: FastifyInstance): void {
  const refuse = (): never => {
    throw new DomainError('NOT_FOUND', 'no such resource');
  };
  app.addHook('onRequest', async (request) => (request.is404 ? refuse() : undefined));
  app.setNotFoundHandler(refuse);
}

/** Notes the methods of each route registered after this; `refuseOtherMethods` then answers 405 with `Allow` for the rest. */
export class KnownMethods {
  readonly #byUrl = new Map<string, Set<string>>();

  constructor(app: FastifyInstance) {
    app.addHook('onRoute', (route: RouteOptions) => this.#note(route));
  }

  /** To be called once, after the last route. `except`: methods that something else answers, such as OPTIONS with CORS. */
  refuseOtherMethods(app: FastifyInstance, except: readonly string[] = []): void {
    for (const [url, known] of [...this.#byUrl]) {
      const allow = [...known].join(', ');
      const others = METHODS.filter((method) => !known.has(method) && !except.includes(method));
      if (others.length === 0) continue;
      const refuse = async (): Promise<never> => {
        throw new HttpError('METHOD_NOT_ALLOWED', `this resource answers ${allow}`, { allow });
      };
      app.route({
        method: [...others],
        url,
        schema: { hide: true, operationId: 'refuseMethod' },
        onRequest: refuse,
        handler: refuse,
      });
    }
  }

  #note(route: RouteOptions): void {
    const known = this.#byUrl.get(route.url) ?? new Set();
    for (const method of [route.method].flat()) known.add(method);
    this.#byUrl.set(route.url, known);
  }
}
