import { createRequire } from 'node:module';
import { type DestinationStream, type Logger, pino } from 'pino';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Coloured lines for people; JSON where pino-pretty is not installed. */
  readonly pretty?: boolean | undefined;
  /** Where lines go instead of stdout. */
  readonly destination?: DestinationStream | undefined;
}

/** Field names whose values never reach a log, at the top and one level down. */
const SECRET_FIELDS = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'token',
  'apiKey',
  'privateKey',
  'signingKey',
  'webhook-signature',
];
const REDACTED = '[redacted]';

/** The process's logger: one JSON object a line, levels as words, times as RFC 3339, secrets replaced. */
export function createLogger(options: LoggerOptions): Logger {
  const settings = {
    level: options.level,
    base: {},
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRET_FIELDS.flatMap((name) => [`["${name}"]`, `*["${name}"]`]), censor: REDACTED },
    serializers: { err: loggableError },
  };
  if (options.destination !== undefined) return pino(settings, options.destination);
  if (options.pretty !== true || !isInstalled('pino-pretty')) return pino(settings);
  const { formatters: _levelsAreNumbersThere, ...prettySettings } = settings;
  return pino({ ...prettySettings, transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname' } } });
}

/** An error as a log holds it: type, code, message and stack, of its causes too, without the password of any URL in them. */
export function loggableError(error: unknown): unknown {
  if (!(error instanceof Error)) return withoutUrlPasswords(String(error));
  return {
    type: error.name,
    message: withoutUrlPasswords(error.message),
    ...('code' in error && typeof error.code === 'string' && { code: error.code }),
    ...(error.stack !== undefined && { stack: withoutUrlPasswords(error.stack) }),
    ...(error.cause !== undefined && error.cause !== error && { cause: loggableError(error.cause) }),
  };
}

function withoutUrlPasswords(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@]{0,200}):[^\s/@]{1,500}@/gi, `$1:${REDACTED}@`);
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}
