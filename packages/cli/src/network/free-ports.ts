import { createServer, type Server } from "node:net";

/** Listens on a port, 0 for any; rejects when it is taken. */
function listen(host: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/**
 * Where ports are looked for: below those that operating systems hand out to outgoing connections,
 * one of which could take a port between its finding and its node's start.
 */
const FIRST_PORT = 10_240;
const LAST_PORT = 32_767;
/** Tries for each port wanted; a machine with so many taken gets any that are free. */
const TRIES = 50;

async function listenSomewhere(host: string): Promise<Server> {
  for (let at = 0; at < TRIES; at++) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT + 1));
    try {
      return await listen(host, port);
    } catch {
      // Taken: another one.
    }
  }
  return listen(host, 0);
}

/** `count` different ports that were free a moment ago: all are held until all are known. */
export async function findFreePorts(host: string, count: number): Promise<readonly number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listenSomewhere(host)));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map(close));
  return ports;
}

/** Whether nobody listens on a port. */
export async function isPortFree(host: string, port: number): Promise<boolean> {
  try {
    await close(await listen(host, port));
    return true;
  } catch {
    return false;
  }
}
