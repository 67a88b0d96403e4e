import { noise } from "@chainsafe/libp2p-noise";
import { yamux } from "@chainsafe/libp2p-yamux";
import type { Connection, MessageStream, StreamMuxer, StreamMuxerFactory } from "@libp2p/interface";
import { tcp } from "@libp2p/tcp";
import { createLibp2p, type Libp2p } from "libp2p";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { silentComponentLogger } from "../../src/p2p/silent-logger.ts";
import { createStreamMuxer } from "../../src/p2p/stream-muxer.ts";
import { until } from "../support/network.ts";

const PROTOCOL = "/credlink/test/1";
const nodes: Libp2p[] = [];
const uncaught: Error[] = [];
const record = (error: Error): void => {
  uncaught.push(error);
};
/** What nobody catches would end a node's process; here it is kept for the test to see. */
let others: NodeJS.UncaughtExceptionListener[] = [];

beforeEach(() => {
  uncaught.length = 0;
  others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", record);
});
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
  process.removeListener("uncaughtException", record);
  for (const each of others) process.on("uncaughtException", each);
});

async function start(muxer: () => StreamMuxerFactory): Promise<Libp2p> {
  const node = await createLibp2p({
    logger: silentComponentLogger,
    addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [muxer],
    connectionMonitor: { enabled: false },
  });
  nodes.push(node);
  return node;
}

/** The encrypted stream under a connection's multiplexer takes no more, and has told nobody yet. */
function closeForWriting(connection: Connection): void {
  const { muxer } = connection as unknown as { muxer: StreamMuxer & { maConn: MessageStream } };
  Object.assign(muxer.maConn, { writeStatus: "closed" });
}

/** Opens a stream on a connection that closes in the same moment. */
async function openWhileClosing(muxer: () => StreamMuxerFactory): Promise<Connection> {
  const [listener, dialer] = [await start(muxer), await start(muxer)];
  await listener.handle(PROTOCOL, () => undefined);
  const connection = await dialer.dial(listener.getMultiaddrs());
  const opened = connection.newStream(PROTOCOL);
  closeForWriting(connection);
  await opened.catch(() => undefined);
  return connection;
}

describe("a connection that closes while a stream is opened on it", () => {
  test("ends by itself, and nothing else does", async () => {
    const connection = await openWhileClosing(createStreamMuxer({}));
    await until(() => connection.status !== "open", "the connection is given up");
    await expect(connection.newStream(PROTOCOL)).rejects.toThrow();
    await Promise.all(nodes.splice(0).map((node) => node.stop()));
    expect(uncaught).toEqual([]);
  });

  test("would end the process with the library alone: else our part may go", async () => {
    const connection = await openWhileClosing(yamux());
    expect(uncaught.map(({ name }) => name)).toEqual(["StreamStateError"]);
    expect(() => connection.abort(new Error("over"))).toThrow("closed");
  });
});
