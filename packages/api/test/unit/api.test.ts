import { describe, expect, test } from "vitest";
import {
  apiErrors,
  createOpenRPCDocument,
  errorData,
  methods,
  REFUSED,
  requestEnvelope,
  rpcErrorKind,
} from "../../src/index.ts";

describe("methods", () => {
  test("only the two halves of a login need no session (T-4.5-2)", () => {
    const open = Object.entries(methods).filter(([, method]) => !method.session);
    expect(open.map(([name]) => name)).toEqual(["session.challenge", "session.login"]);
  });

  test.each([
    ["block.header", { height: 0 }, true],
    ["block.header", { height: -1 }, false],
    ["block.header", { height: 1.5 }, false],
    ["block.header", { height: 1, extra: 1 }, false],
    ["transaction.get", { id: "0".repeat(64) }, true],
    ["transaction.get", { id: "0".repeat(62) }, false],
    ["transaction.get", { id: "F".repeat(64) }, false],
    ["transaction.wait", { id: "0".repeat(64), timeoutMs: 60_000 }, true],
    ["transaction.wait", { id: "0".repeat(64), timeoutMs: 60_001 }, false],
    ["transaction.submit", { transaction: "abc" }, false],
    ["transaction.submitBatch", { transactions: [] }, false],
    ["transaction.submitBatch", { transactions: Array(512).fill("00") }, true],
    ["transaction.submitBatch", { transactions: Array(513).fill("00") }, false],
    ["block.get", { digest: "0".repeat(64), transactions: true }, true],
    ["block.get", { digest: "0".repeat(64), height: 1 }, false],
  ] as const)("%s takes %j: %s", (name, params, accepted) => {
    expect(methods[name].params.safeParse(params).success).toBe(accepted);
  });
});

describe("errors", () => {
  test("every code has a reserved number and an HTTP status", () => {
    for (const code of Object.keys(apiErrors)) {
      const { code: number, httpStatus } = rpcErrorKind(code);
      expect(number, code).toBeLessThanOrEqual(-32_000);
      expect(number, code).toBeGreaterThanOrEqual(-32_768);
      expect(httpStatus, code).toBeGreaterThanOrEqual(400);
    }
  });

  test("codes of other packages are refusals, inherited names too", () => {
    expect(rpcErrorKind("LEDGER_TRANSACTION_EXPIRED")).toEqual(REFUSED);
    expect(rpcErrorKind("toString")).toEqual(REFUSED);
  });

  test("error data round-trips", () => {
    const data = { code: "API_BUSY", remedy: "wait", retryAfterMs: 5 };
    expect(errorData.parse(data)).toEqual(data);
  });
});

test("a request needs its version, an id and parameters by name", () => {
  const good = { jsonrpc: "2.0", id: 1, method: "node.status", params: {} };
  expect(requestEnvelope.safeParse(good).success).toBe(true);
  expect(requestEnvelope.safeParse({ ...good, jsonrpc: "1.0" }).success).toBe(false);
  expect(requestEnvelope.safeParse({ ...good, id: undefined }).success).toBe(false);
  expect(requestEnvelope.safeParse({ ...good, params: [1] }).success).toBe(false);
});

describe("OpenRPC", () => {
  const document = createOpenRPCDocument("1.2.3");

  test("describes every method with its schemas", () => {
    expect(document.methods.map(({ name }) => name)).toEqual(Object.keys(methods));
    const wait = document.methods.find(({ name }) => name === "transaction.wait");
    expect(wait?.params.map(({ name, required }) => [name, required])).toEqual([
      ["id", true],
      ["timeoutMs", true],
    ]);
    expect(wait?.["x-session"]).toBe(true);
  });

  test("of alternatives, only what all need is required", () => {
    const get = document.methods.find(({ name }) => name === "block.get");
    expect(get?.params.map(({ name, required }) => [name, required])).toEqual([
      ["height", false],
      ["transactions", false],
      ["digest", false],
    ]);
  });

  test("is plain JSON", () => {
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  });
});
