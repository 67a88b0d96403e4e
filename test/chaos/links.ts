import { createServer, connect as dial, type Server, type Socket } from "node:net";
import { CLEAR, type Condition, Direction } from "./direction.ts";

const HOST = "127.0.0.1";

/** Where a node listens. */
export interface Endpoint {
  readonly name: string;
  readonly port: number;
}

/**
 * Every pair of nodes joined through proxies on loopback: a node that dials another one reaches it
 * through the proxy of that pair, so that each direction between two nodes can be cut, slowed and
 * throttled by itself, whoever dialled. Works on any machine, without privileges.
 */
export class Links {
  readonly #directions = new Map<string, Direction>();
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  /** `from to` -> port of the proxy. */
  readonly #ports = new Map<string, number>();
  readonly #names: readonly string[];

  private constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** Opens a proxy from every node to every other one. */
  static async open(endpoints: readonly Endpoint[]): Promise<Links> {
    const links = new Links(endpoints.map(({ name }) => name));
    for (const from of endpoints) {
      for (const to of endpoints) {
        if (from.name !== to.name) await links.#openLink(from.name, to);
      }
    }
    return links;
  }

  /** The port at which `from` reaches `to`. */
  port(from: string, to: string): number {
    const port = this.#ports.get(`${from} ${to}`);
    if (port === undefined) throw new Error(`no link from ${from} to ${to}`);
    return port;
  }

  /** Sets how bytes flow from one node to another; the other direction is another matter. */
  set(from: string, to: string, condition: Condition): void {
    this.#direction(from, to).set(condition);
  }

  /** Makes every direction clear. */
  heal(): void {
    for (const from of this.#names) {
      for (const to of this.#names) if (from !== to) this.set(from, to, CLEAR);
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(
      this.#servers.map((server) => new Promise<void>((done) => server.close(() => done()))),
    );
  }

  #direction(from: string, to: string): Direction {
    const key = `${from} ${to}`;
    const known = this.#directions.get(key);
    if (known !== undefined) return known;
    const direction = new Direction();
    this.#directions.set(key, direction);
    return direction;
  }

  async #openLink(from: string, to: Endpoint): Promise<void> {
    const there = this.#direction(from, to.name);
    const back = this.#direction(to.name, from);
    const server = createServer({ noDelay: true }, (near) => {
      this.#keep(near);
      // A connection that cannot be made is not known at the other end.
      const forget = there.whenOpen(() => {
        const far = dial({ host: HOST, port: to.port, noDelay: true });
        this.#keep(far);
        there.carry(near, far);
        back.carry(far, near);
      });
      near.once("close", forget);
    });
    await new Promise<void>((done, fail) => {
      server.once("error", fail);
      server.listen(0, HOST, done);
    });
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("a proxy has a port");
    this.#servers.push(server);
    this.#ports.set(`${from} ${to.name}`, address.port);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    // A node that is down refuses, one that is killed resets: the other side is told by `close`.
    socket.on("error", () => {});
  }
}
