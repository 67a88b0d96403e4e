import { connect } from "node:net";
import { apiErrors, MAX_STATE_ENTRIES } from "@credlink/api";
import { addressFromPublicKey } from "@credlink/crypto";
import {
  headerCodec,
  headerDigest,
  memberCodec,
  memberKey,
  stateProofCodec,
  verifyStateProof,
} from "@credlink/ledger";
import { decode, fromHex, toHex } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import { STATES_A_CALL } from "../../src/gateway/dispatcher.ts";
import { createRemedies } from "../../src/gateway/errors.ts";
import { listen } from "../../src/gateway/gateway.ts";
import { gatewayMetrics } from "../../src/gateway/metrics.ts";
import { logIn, made, open } from "../support/gateway.ts";

describe("calls", () => {
  test("refusals of the node keep their code, remedy and wait", async () => {
    const { caller } = await open();
    await logIn(caller);
    const full = await caller.call("transaction.submit", { transaction: "02" });
    expect([full.status, full.error?.code, full.error?.data]).toEqual([
      200,
      -32_010,
      expect.objectContaining({ code: "NODE_MEMPOOL_FULL", retryAfterMs: 250 }),
    ]);
    const mixed = await caller.call("transaction.submitBatch", {
      transactions: ["01", "02", "00"],
    });
    expect(mixed.result?.results).toMatchObject([
      { id: "01".repeat(32) },
      { code: "NODE_MEMPOOL_FULL", retryAfterMs: 250 },
      { code: "LEDGER_TRANSACTION_MALFORMED" },
    ]);
  });

  test("what fails inside is logged, and told to nobody", async () => {
    const { caller, logger } = await open();
    await logIn(caller);
    const broken = await caller.call("transaction.submit", { transaction: "03" });
    expect([broken.status, broken.error?.data.code]).toEqual([500, "API_INTERNAL"]);
    expect(JSON.stringify(broken.error)).not.toContain("secret");
    expect(logger.entries.map(({ message }) => message)).toContain("call failed");
  });

  test("a state value comes with a proof that verifies, present or absent", async () => {
    const { caller } = await open();
    await logIn(caller);
    const address = addressFromPublicKey(made.admin.publicKey);
    for (const key of [memberKey(address), Uint8Array.of(9)]) {
      const { result } = await caller.call("state.get", { contract: "members", key: toHex(key) });
      const shown = result as {
        value: string | null;
        proof: string;
        header: { header: string; digest: string };
      };
      const header = decode(headerCodec, fromHex(shown.header.header));
      const value = shown.value === null ? null : fromHex(shown.value);
      const proof = decode(stateProofCodec, fromHex(shown.proof));
      const root = header.stateRoot;
      expect(verifyStateProof({ root, contract: "members", key, value, proof }).ok).toBe(true);
      expect(toHex(headerDigest(header))).toBe(shown.header.digest);
      if (value !== null) expect(decode(memberCodec, value).role).toBe("admin");
    }
  });

  test("a query runs a read-only method of the started version", async () => {
    const { caller } = await open();
    await logIn(caller);
    const call = {
      contract: "members",
      method: "get",
      args: `91c420${toHex(addressFromPublicKey(made.admin.publicKey))}`,
    };
    const { result } = await caller.call("contract.query", call);
    expect(result).toMatchObject({ status: "SUCCESS", height: 0 });
    const missing = await caller.call("contract.query", { ...call, contract: "nothing" });
    expect(missing.result?.status).toBe("VM_CONTRACT_UNKNOWN");
  });

  test("blocks by height and digest; genesis has no certificate; no block is 404", async () => {
    const { caller, ledger } = await open();
    await logIn(caller);
    const byHeight = await caller.call("block.get", { height: 0, transactions: true });
    const found = toHex(ledger.head.digest);
    expect(byHeight.result).toMatchObject({ digest: found, certificate: "", transactions: [] });
    const byDigest = await caller.call("block.get", { digest: found });
    expect(byDigest.result?.header).toBe(byHeight.result?.header);
    const missing = await caller.call("block.header", { height: 1 });
    expect([missing.status, missing.error?.data.code]).toEqual([404, "API_NOT_FOUND"]);
  });

  test("as many wait as may, no more", async () => {
    const { caller } = await open();
    await logIn(caller);
    const wait = () => caller.call("transaction.wait", { id: "00".repeat(32), timeoutMs: 200 });
    const answers = await Promise.all([wait(), wait(), wait()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 503]);
    expect((await wait()).result).toEqual({ status: "pending" });
  });
});

test("a gateway that closes answers who waits, at once", async () => {
  const { caller, app } = await open();
  await logIn(caller);
  const since = performance.now();
  const waiting = caller.call("transaction.wait", { id: "00".repeat(32), timeoutMs: 20_000 });
  await new Promise((resolve) => setTimeout(resolve, 100));
  await app.close();
  expect((await waiting).result).toEqual({ status: "unknown" });
  expect(performance.now() - since).toBeLessThan(3_000);
});

test("a request that never arrives in full does not hold up closing", async () => {
  const { app, base } = await open();
  const socket = connect(Number(base.split(":")[2]), "127.0.0.1");
  socket.on("error", () => undefined);
  const head = "POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
  socket.write(`${head}Content-Length: 100\r\n\r\n{`);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const since = performance.now();
  await app.close();
  expect(performance.now() - since).toBeLessThan(4_500);
  socket.destroy();
});

describe("form and limits", () => {
  async function post(base: string, body: string, type = "application/json") {
    const headers = { "content-type": type };
    const response = await fetch(`${base}/rpc`, { method: "POST", headers, body });
    return { status: response.status, body: (await response.json()) as never };
  }
  const codeOf = (answer: { body: { error: { data: { code: string } } } }) =>
    answer.body.error.data.code;

  test.each([
    ["not JSON", "{", 400],
    ["no request", "42", 400],
    ["no version", '{"id":1,"method":"node.status"}', 400],
    ["no id", '{"jsonrpc":"2.0","method":"node.status"}', 400],
    ["parameters by position", '{"jsonrpc":"2.0","id":1,"method":"a","params":[1]}', 400],
  ])("%s is malformed", async (_name, body, status) => {
    const { base } = await open();
    const answer = await post(base, body);
    expect([answer.status, codeOf(answer)]).toEqual([status, "API_REQUEST_MALFORMED"]);
  });

  test("a method that is not there, parameters that are wrong, a path that is not there", async () => {
    const { base, caller } = await open();
    const unknown = await caller.call("toString");
    expect([unknown.status, unknown.error?.data.code]).toEqual([404, "API_METHOD_UNKNOWN"]);
    const wrong = await caller.call("session.challenge", { address: 1 });
    expect([wrong.status, wrong.error?.data.code]).toEqual([400, "API_PARAMS_INVALID"]);
    expect((await fetch(`${base}/etc/passwd`)).status).toBe(404);
  });

  test("a body of the cap passes, one byte more does not", async () => {
    const { base } = await open({ maxBodyBytes: 100 });
    const call = '{"jsonrpc":"2.0","id":1,"method":"nothing"}';
    expect(codeOf(await post(base, call.padEnd(100)))).toBe("API_METHOD_UNKNOWN");
    const large = await post(base, call.padEnd(101));
    expect([large.status, codeOf(large)]).toEqual([413, "API_BODY_TOO_LARGE"]);
  });

  test("a batch is answered in order, call by call; too many or none are refused", async () => {
    const { base, caller } = await open();
    await logIn(caller);
    const call = (id: number, method: string) => ({ jsonrpc: "2.0", id, method, params: {} });
    const send = async (calls: readonly object[], token = caller.token) => {
      const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
      const body = JSON.stringify(calls);
      const response = await fetch(`${base}/rpc`, { method: "POST", headers, body });
      return { status: response.status, body: (await response.json()) as never };
    };
    const mixed = await send([call(1, "node.status"), call(2, "nothing")]);
    expect(mixed.status).toBe(200);
    expect(mixed.body).toMatchObject([
      { id: 1, result: { nodeId: "node1" } },
      { id: 2, error: { data: { code: "API_METHOD_UNKNOWN" } } },
    ]);
    expect((await send([call(1, "node.status")], "")).status).toBe(401);
    expect(codeOf(await send([]))).toBe("API_BATCH_TOO_LARGE");
    const four = [1, 2, 3, 4].map((id) => call(id, "node.status"));
    expect((await send(four)).status).toBe(200);
    expect(codeOf(await send([...four, call(5, "node.status")]))).toBe("API_BATCH_TOO_LARGE");
  });

  test("too many calls of a member, and too many logins of an address, are 429", async () => {
    const rate = { perSecond: 1, burst: 2 };
    const { caller, metrics } = await open({ memberRate: rate });
    await logIn(caller);
    const answers = [];
    for (let i = 0; i < 3; i++) answers.push(await caller.call("node.status"));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    const last = answers[2];
    expect(last?.error?.data.code).toBe("API_RATE_LIMITED");
    expect(last?.error?.data.retryAfterMs).toBeGreaterThan(0);
    expect(Number(last?.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(metrics.value(gatewayMetrics.refused, { code: "API_RATE_LIMITED" })).toBe(1);
    const logins = await open({ loginRate: rate });
    await logIn(logins.caller);
    const third = await logins.caller.call("session.challenge", { address: made.adminAddress });
    expect([third.status, third.error?.data.code]).toEqual([429, "API_RATE_LIMITED"]);
  });

  test("state.getMany counts by its values: as one call for each eight that are begun", async () => {
    const asked = (values: number) => ({
      entries: Array.from({ length: values }, (_, at) => ({
        contract: "credential",
        key: at.toString(16).padStart(4, "0"),
      })),
    });
    const burst = 3;
    for (const [values, calls] of [
      [1, 1],
      [STATES_A_CALL, 1],
      [STATES_A_CALL + 1, 2],
      [2 * STATES_A_CALL, 2],
      [2 * STATES_A_CALL + 1, 3],
    ] as const) {
      const { caller } = await open({ memberRate: { perSecond: 0.001, burst } });
      await logIn(caller);
      expect((await caller.call("state.getMany", asked(values))).status).toBe(200);
      const answers = [];
      for (let at = 0; at <= burst - calls; at += 1) answers.push(await caller.call("node.status"));
      const statuses = answers.map(({ status }) => status);
      expect(statuses, `${values}`).toEqual([...Array(burst - calls).fill(200), 429]);
    }
    // More than a member's burst is let through, and paid off before the next call.
    const { caller } = await open({ memberRate: { perSecond: 1, burst }, maxBodyBytes: 2 ** 20 });
    await logIn(caller);
    expect((await caller.call("state.getMany", asked(MAX_STATE_ENTRIES))).status).toBe(200);
    const next = await caller.call("node.status");
    const dueMs = (MAX_STATE_ENTRIES / STATES_A_CALL - burst) * 1_000;
    expect(next.error?.data.retryAfterMs).toBeGreaterThan(dueMs - 60_000);
    expect(next.error?.data.retryAfterMs).toBeLessThanOrEqual(dueMs + 1_000);
  });

  test("calls are counted by method and outcome, unknown names under one label", async () => {
    const { caller, metrics } = await open();
    await caller.call("no-such-method");
    await caller.call("node.status");
    const value = (method: string, outcome: string) =>
      metrics.value(gatewayMetrics.calls, { method, outcome });
    expect(value("unknown", "API_METHOD_UNKNOWN")).toBe(1);
    expect(value("node.status", "API_SESSION_REQUIRED")).toBe(1);
  });

  test("health says alive at once and ready when it is", async () => {
    const { base, state } = await open();
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
    const early = await fetch(`${base}/readyz`);
    expect([early.status, await early.json()]).toEqual([
      503,
      { ready: false, reasons: ["starting"] },
    ]);
    state.readiness = { ready: true, reasons: [] };
    expect((await fetch(`${base}/readyz`)).status).toBe(200);
  });

  test("the OpenRPC document needs no session", async () => {
    const { base } = await open();
    const document = (await (await fetch(`${base}/rpc/discover`)).json()) as { methods: object[] };
    expect(document.methods.length).toBeGreaterThan(10);
  });

  test("a port that is taken is said so; a raw socket full of nonsense harms nobody", async () => {
    const { base, caller } = await open();
    const port = Number(base.split(":")[2]);
    const { default: fastify } = await import("fastify");
    const second = fastify();
    await expect(listen(second, { host: "127.0.0.1", port })).rejects.toMatchObject({
      details: { code: "NODE_START_PORT_TAKEN" },
    });
    await second.close();
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write("\u0000\u0001nonsense\r\n\r\n");
    await new Promise((resolve) => socket.on("close", resolve).resume());
    expect((await logIn(caller)).answer.status).toBe(200);
  });
});

test("every code of the gateway has a remedy, unknown ones say where to look", () => {
  const remedyOf = createRemedies([]);
  for (const [code, { remedy }] of Object.entries(apiErrors)) expect(remedyOf(code)).toBe(remedy);
  expect(remedyOf("CREDENTIAL_SOMETHING")).toContain("contract");
  expect(remedyOf("constructor")).toContain("contract");
});
