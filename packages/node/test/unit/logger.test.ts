import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ConfigError } from "../../src/config/errors.ts";
import { createLogger, type LoggerOptions } from "../../src/logger.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "credlink-log-"));
});
afterEach(() => rm(folder, { recursive: true }));

function open(level: LoggerOptions["level"]) {
  const file = join(folder, "deep", "node.log");
  const logger = createLogger({ level, file, bindings: { node: "n1" } });
  const lines = async (): Promise<Record<string, unknown>[]> => {
    logger.flush();
    const text = await readFile(file, "utf8");
    return text
      .trim()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  return { logger, lines };
}

test("one line of JSON a message, with level, time, message and fields", async () => {
  const { logger, lines } = open("info");
  logger.child({ component: "network" }).info("peer joined", { peers: 3, height: 7n });
  logger.debug("not at this level");
  const [line, ...rest] = await lines();
  expect(rest).toEqual([]);
  expect(line).toMatchObject({
    level: "info",
    node: "n1",
    component: "network",
    message: "peer joined",
    peers: 3,
    height: "7",
  });
  expect(String(line?.time)).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
});

test("secrets and payloads never reach the file, at any depth", async () => {
  const { logger, lines } = open("debug");
  logger.warn("x", {
    password: "hunter2",
    inner: { privateKey: "hunter2", list: [{ token: "hunter2" }] },
    body: new TextEncoder().encode("hunter2".repeat(10)),
    long: "y".repeat(10_000),
  });
  const [line] = await lines();
  const text = JSON.stringify(line);
  expect(text).not.toContain("hunter2");
  expect(text).not.toContain(Buffer.from("hunter2").toString("hex"));
  expect(text.length).toBeLessThan(3_000);
  expect(line).toMatchObject({ password: "[redacted]", body: "70 bytes" });
});

test("digests are hexadecimal, errors carry code and cause", async () => {
  const { logger, lines } = open("error");
  const cause = new Error("no such file");
  const error = new ConfigError("NODE_CONFIG_INVALID", "rpc.port", "not a port", { cause });
  logger.error("failed", { digest: new Uint8Array(32).fill(0xab), error });
  const [line] = await lines();
  expect(line).toMatchObject({
    digest: "ab".repeat(32),
    error: { code: "NODE_CONFIG_INVALID", cause: { message: "no such file" } },
  });
});
