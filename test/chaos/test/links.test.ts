import { createServer, connect as dial, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { eventually } from "../../e2e/support/wait.ts";
import { CLEAR } from "../direction.ts";
import { Links } from "../links.ts";

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

/** A node that sends back what it hears; counts its connections. */
async function listen(): Promise<{ port: number; connections: () => number }> {
  let connections = 0;
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (bytes) => socket.write(bytes));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  open.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((done) => server.close(done));
    },
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it listens");
  return { port: address.port, connections: () => connections };
}

async function pair() {
  const b = await listen();
  const links = await Links.open([
    { name: "a", port: 1 },
    { name: "b", port: b.port },
  ]);
  open.unshift(links);
  const call = () => {
    const socket = dial({ host: "127.0.0.1", port: links.port("a", "b") });
    let heard = "";
    let isClosed = false;
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      heard += String(bytes);
    });
    socket.on("close", () => {
      isClosed = true;
    });
    return { socket, heard: () => heard, isClosed: () => isClosed };
  };
  return { b, links, call };
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

describe("links between nodes", () => {
  it("carry bytes both ways, and the end of a connection", async () => {
    const { call } = await pair();
    const { socket, heard, isClosed } = call();
    socket.write("hello");
    await eventually("an echo", () => heard() === "hello");
    socket.end();
    await eventually("the end", isClosed);
  });

  it("cut in one direction hold its bytes back and let them pass when they are whole", async () => {
    const { call, links } = await pair();
    const { socket, heard } = call();
    socket.write("1");
    await eventually("an echo", () => heard() === "1");
    links.set("b", "a", { ...CLEAR, isCut: true });
    socket.write("2");
    await pause(100);
    expect(heard()).toBe("1");
    links.heal();
    await eventually("what was held", () => heard() === "12");
  });

  it("cut where a connection is made: it is not known at the other end before they heal", async () => {
    const { b, call, links } = await pair();
    links.set("a", "b", { ...CLEAR, isCut: true });
    const { socket, heard } = call();
    socket.write("late");
    await pause(100);
    expect(b.connections()).toBe(0);
    const abandoned = call();
    await eventually("it is connected to the proxy", () => !abandoned.socket.connecting);
    abandoned.socket.destroy();
    await pause(50);
    links.heal();
    await eventually("an echo", () => heard() === "late");
    expect(b.connections()).toBe(1);
  });

  it("are slowed and throttled in each direction by itself, in order", async () => {
    const { call, links } = await pair();
    const { socket, heard } = call();
    socket.write("1");
    await eventually("an echo", () => heard() === "1");
    links.set("a", "b", { isCut: false, delayMs: 120, bytesPerSecond: 10_000 });
    const startMs = performance.now();
    socket.write("x".repeat(2_000));
    await eventually("all of it", () => heard().length === 2_001);
    // 120 ms on the way, and 2,000 bytes at 10,000 a second.
    expect(performance.now() - startMs).toBeGreaterThan(290);
  });

  it("to a node that is down end at once", async () => {
    const { links } = await pair();
    const socket = dial({ host: "127.0.0.1", port: links.port("b", "a") });
    let isClosed = false;
    socket.on("error", () => {});
    socket.on("close", () => {
      isClosed = true;
    });
    socket.resume();
    await eventually("it ends", () => isClosed);
  });
});
