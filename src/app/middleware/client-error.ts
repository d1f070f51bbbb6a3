import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { PROBLEM_HEADERS, PROBLEM_JSON, type ProblemCode, problemOf } from './problem.ts';
import { newTraceId } from './trace-id.ts';

/** Answers what Node's HTTP parser refuses before there is a request: slow, oversized or malformed. */
export function refuseUnreadable(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const { code, detail } = faultOf(error.code);
  const problem = problemOf(code, newTraceId(), detail);
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    `Content-Type: ${PROBLEM_JSON}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    ...Object.entries(PROBLEM_HEADERS).map(([name, value]) => `${name}: ${value}`),
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroy();
}

function faultOf(code: string | undefined): { readonly code: ProblemCode; readonly detail: string } {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { code: 'REQUEST_TIMEOUT', detail: 'the request did not arrive in time' };
    case 'HPE_HEADER_OVERFLOW':
      return { code: 'HEADERS_TOO_LARGE', detail: 'the request headers are larger than this server accepts' };
    default:
      return { code: 'VALIDATION_FAILED', detail: 'the request is not valid HTTP' };
  }
}
