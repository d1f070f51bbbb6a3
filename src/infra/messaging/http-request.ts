import type { JsonValue } from '../../domain/entities/json.ts';
import { rendered, sealedIn, secretNamesIn } from '../../domain/entities/secret.ts';
import type { HttpTarget } from '../../domain/entities/target.ts';

/** The part of a request that every run of a schedule version shares. */
export interface RequestTemplate {
  readonly origin: string;
  readonly path: string;
  readonly method: HttpTarget['method'];
  /** A header whose value could not be opened; null: there is none. */
  readonly unopened: string | null;
  /** What its header values refer to, each name once. */
  readonly secretNames: readonly string[];
  /** Name, value, name, value: the target's own headers, secrets in place of their names, and the defaults they did not replace. */
  headersWith(secrets: ReadonlyMap<string, string>): readonly string[];
  /** The body for one payload; null for none. */
  bodyOf(payload: JsonValue): string | null;
}

/** Names that frame the message, steer its routing, or are ours to set. */
const RESERVED = new Set(
  (
    'connection content-length expect host idempotency-key keep-alive proxy-authenticate proxy-authorization proxy-connection ' +
    'te trailer traceparent transfer-encoding upgrade'
  ).split(' '),
);
const RESERVED_PREFIX = /^(?:webhook-|x-scheduler-)/;
const USER_AGENT = 'scheduler-domain';

/** The template of an HTTP target; a text says why no request can be made from it. */
export function requestTemplate(http: HttpTarget): RequestTemplate | string {
  if (!URL.canParse(http.url)) return 'the url cannot be read';
  const url = new URL(http.url);
  const names = Object.keys(http.headers).map((name) => name.toLowerCase());
  const reserved = names.find((name) => RESERVED.has(name) || RESERVED_PREFIX.test(name));
  if (reserved !== undefined) return `the header "${reserved.slice(0, 100)}" cannot be set by a target`;
  const headers = Object.entries(http.headers).flat();
  if (!names.includes('user-agent')) headers.push('user-agent', USER_AGENT);
  const contentType = headerOf(http, 'content-type');
  const bodyOf = bodyMaker(http, contentType);
  if (contentType === null && bodyOf !== noBody) headers.push('content-type', 'application/json');
  const { origin, pathname, search } = url;
  const unopened = Object.keys(http.headers).find((name) => sealedIn(http.headers[name] ?? '') !== null) ?? null;
  return { origin, path: pathname + search, method: http.method, unopened, ...filledIn(headers), bodyOf };
}

/** The headers of a template; without references they are made once. */
function filledIn(headers: readonly string[]): Pick<RequestTemplate, 'secretNames' | 'headersWith'> {
  const secretNames = [...new Set(headers.flatMap((text) => secretNamesIn(text) ?? []))];
  if (secretNames.length === 0) return { secretNames, headersWith: () => headers };
  return { secretNames, headersWith: (secrets) => headers.map((text) => rendered(text, secrets)) };
}

/**
 * GET and HEAD carry no body. A text goes out as it is when the target names a content type other than JSON; everything
 * else goes out as JSON text. A null payload is an empty body.
 */
function bodyMaker(http: HttpTarget, contentType: string | null): RequestTemplate['bodyOf'] {
  if (http.method === 'GET' || http.method === 'HEAD') return noBody;
  const isText = contentType !== null && !/[/+]json\b/i.test(contentType);
  const asBody = (value: JsonValue): string | null => {
    if (value === null) return null;
    return isText && typeof value === 'string' ? value : JSON.stringify(value);
  };
  if (http.body === undefined) return asBody;
  const fixed = asBody(http.body);
  return () => fixed;
}

const noBody = (): null => null;

function headerOf(http: HttpTarget, name: string): string | null {
  for (const [key, value] of Object.entries(http.headers)) {
    if (key.toLowerCase() === name) return value;
  }
  return null;
}
