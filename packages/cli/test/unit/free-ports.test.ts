import { createServer } from "node:net";
import { expect, test } from "vitest";
import { findFreePorts, isPortFree } from "../../src/network/free-ports.ts";

const HOST = "127.0.0.1";

test("ports are different, free, and none that an outgoing connection may be given", async () => {
  const ports = await findFreePorts(HOST, 200);
  expect(new Set(ports).size).toBe(200);
  for (const port of ports) {
    expect(port).toBeGreaterThanOrEqual(10_240);
    // Linux hands out 32,768 and above, others 49,152 and above.
    expect(port).toBeLessThan(32_768);
  }
  const [first = 0] = ports;
  expect(await isPortFree(HOST, first)).toBe(true);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(first, HOST, resolve));
  expect(await isPortFree(HOST, first)).toBe(false);
  await new Promise((resolve) => server.close(resolve));
});
