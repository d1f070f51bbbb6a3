import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** Receives POSTs without a body on loopback, and says yes to each. */
export interface Receiver extends AsyncDisposable {
  readonly url: string;
  /** How many have arrived. */
  readonly arrived: number;
}

const END_OF_HEAD = '\r\n\r\n';
const YES = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
const LONGEST_HEAD = 64 * 1024;

/**
 * A receiver that takes as little as can be of the cores it shares with what is measured, as a receiver elsewhere takes nothing: it
 * reads a request for where it ends, and no more. `node:http` takes twice as much.
 */
export async function startReceiver(): Promise<Receiver> {
  let arrived = 0;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    let head = '';
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      const parts = (head + chunk.toString('latin1')).split(END_OF_HEAD);
      head = parts.pop() ?? '';
      if (head.length > LONGEST_HEAD) socket.destroy();
      arrived += parts.length;
      for (const _ of parts) socket.write(YES);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    get arrived() {
      return arrived;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
