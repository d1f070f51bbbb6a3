import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { freePort } from '../../support/external-services.ts';

/** A way to a broker that a test can cut. */
export interface Proxy {
  /** The broker's, through here. */
  readonly url: string;
  start(): Promise<void>;
  /** Cuts every connection and takes no new one. */
  stop(): Promise<void>;
  /** Swallows what is sent from here on. */
  mute(): void;
}

/** Ends with the test. */
export async function startProxy(to: URL): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let isMuted = false;
  let server: Server | null = null;
  const through = new URL(to);
  [through.hostname, through.port] = ['127.0.0.1', String(await freePort())];
  const proxy: Proxy = {
    url: through.href,
    async start() {
      server = createServer((socket) => {
        const upstream = connect(Number(to.port), to.hostname);
        for (const end of [socket, upstream]) {
          sockets.add(end);
          end.on('error', () => undefined).on('close', () => sockets.delete(end));
        }
        socket
          .on('data', (bytes) => (isMuted ? undefined : upstream.write(bytes)))
          .on('close', () => upstream.destroy());
        upstream.on('data', (bytes) => (isMuted ? undefined : socket.write(bytes))).on('close', () => socket.destroy());
      });
      server.listen(Number(through.port), '127.0.0.1');
      await once(server, 'listening');
    },
    async stop() {
      const closed = new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    mute() {
      isMuted = true;
    },
  };
  await proxy.start();
  onTestFinished(() => proxy.stop());
  return proxy;
}
