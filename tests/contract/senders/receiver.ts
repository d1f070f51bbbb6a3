import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly received: Received[];
  /** Resolves when a request has been read. */
  readonly next: () => Promise<Received>;
}

/** A target on loopback that records each request in full before `answer` answers it. */
export async function startReceiver(
  answer: (response: ServerResponse, request: IncomingMessage) => void,
): Promise<Receiver> {
  const received: Received[] = [];
  let waiting = Promise.withResolvers<Received>();
  const server = createServer((request, response) => {
    const read = async (): Promise<void> => {
      const entry = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: await text(request),
      };
      received.push(entry);
      waiting.resolve(entry);
      answer(response, request);
    };
    read().catch(() => response.destroy());
  });
  const url = await listening(server);
  const next = async (): Promise<Received> => {
    const entry = await waiting.promise;
    waiting = Promise.withResolvers<Received>();
    return entry;
  };
  return {
    url,
    received,
    next,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface RawReceiver extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  connections: number;
}

/** A target that speaks bytes: `talk` gets each socket once its first bytes have come. */
export async function startRawReceiver(
  talk: (socket: Socket) => void,
  host = '127.0.0.1',
  port = 0,
): Promise<RawReceiver> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    receiver.connections += 1;
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.once('data', () => talk(socket));
  });
  const url = await listening(server, host, port);
  const receiver = {
    url,
    port: Number(new URL(url).port),
    connections: 0,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}

async function listening(server: ReturnType<typeof createTcpServer>, host = '127.0.0.1', port = 0): Promise<string> {
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}
