import { connect } from "node:net";
import { apiErrors } from "@credlink/api";
import { createExecutor } from "@credlink/contracts-vm";
import {
  addressFromPublicKey,
  formatAddress,
  generateKeyPair,
  sm2Sign,
  systemRandom,
  taggedSm3,
} from "@credlink/crypto";
import {
  createLedger,
  createMemoryStore,
  headerCodec,
  headerDigest,
  memberCodec,
  memberKey,
  stateProofCodec,
  verifyStateProof,
} from "@credlink/ledger";
import {
  accept,
  type Clock,
  decode,
  digest,
  fromHex,
  height,
  type Logger,
  refuse,
  toHex,
  view,
} from "@credlink/primitives";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Engine } from "../../src/engine/types.ts";
import type { GatewayOptions, Readiness } from "../../src/gateway/context.ts";
import { createRemedies } from "../../src/gateway/errors.ts";
import { createGateway, createMemberView, listen } from "../../src/gateway/gateway.ts";
import { gatewayMetrics } from "../../src/gateway/metrics.ts";
import { CHALLENGE_MS, type MemberView, Sessions } from "../../src/gateway/sessions.ts";
import { systemClock } from "../../src/system-clock.ts";
import {
  type Caller,
  createCaller,
  createNodeFolders,
  type NodeFolders,
} from "../support/nodes.ts";
import { createRecordingLogger, createRecordingMetrics } from "../support/recording.ts";

const wide = { perSecond: 10_000, burst: 10_000 };
const options: GatewayOptions = {
  host: "127.0.0.1",
  port: 0,
  maxBodyBytes: 64 * 1024,
  maxBatch: 4,
  sessionMs: 60_000,
  maxSessions: 100,
  memberRate: wide,
  addressRate: wide,
  loginRate: wide,
  maxWaiters: 2,
};

const cleanUps: (() => Promise<unknown>)[] = [];
let made: NodeFolders;

beforeEach(async () => {
  made = await createNodeFolders(1);
  cleanUps.push(made.remove);
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** An engine of fixed answers: what is under test is the door in front of it. */
function createEngineDouble(ledger: Awaited<ReturnType<typeof openLedger>>): Engine {
  return {
    start: async () => undefined,
    stop: async () => undefined,
    onCommit: () => () => undefined,
    submit: async (transaction) => {
      if (transaction[0] === 1) return accept({ id: digest(new Uint8Array(32).fill(1)) });
      if (transaction[0] === 2) {
        return { ...refuse("NODE_MEMPOOL_FULL"), retryAfterMs: 250 };
      }
      if (transaction[0] === 3) throw new Error("secret inside");
      return refuse("LEDGER_TRANSACTION_MALFORMED", "not canonical");
    },
    outcome: async () => ({ status: "unknown" }),
    waitFor: (_id, timeoutMs) =>
      new Promise((resolve) => setTimeout(() => resolve({ status: "pending" }), timeoutMs)),
    status: () => ({
      height: ledger.head.header.height,
      headDigest: ledger.head.digest,
      stateRoot: ledger.head.header.stateRoot,
      headTimestampMs: ledger.head.header.timestampMs,
      syncing: false,
      mempool: { transactions: 0, bytes: 0 },
      replica: {
        height: height(1),
        view: view(0),
        phase: "idle",
        primary: 0 as never,
        self: 0 as never,
        abstaining: false,
        halted: false,
      },
    }),
  };
}

const openLedger = () =>
  createLedger({ store: createMemoryStore(), executor: createExecutor(), genesis: made.genesis });

async function open(change: Partial<GatewayOptions> = {}) {
  const ledger = await openLedger();
  const metrics = createRecordingMetrics();
  const logger: Logger & { entries: { message: string }[] } = createRecordingLogger();
  const state: { readiness: Readiness; isPolluted: boolean } = {
    readiness: { ready: false, reasons: ["starting"] },
    isPolluted: false,
  };
  const app = createGateway(
    { ...options, ...change },
    {
      engine: createEngineDouble(ledger),
      ledger,
      executor: createExecutor(),
      peers: () => [],
      facts: {
        nodeId: "node1",
        peerId: "12D3KooWSelf",
        role: "validator",
        version: "0.1.0",
        startedMs: systemClock.monotonicMs(),
      },
      readiness: () => state.readiness,
      isPolluted: () => state.isPolluted,
      remedyOf: createRemedies([]),
      clock: systemClock,
      random: systemRandom,
      logger,
      metrics,
    },
  );
  cleanUps.push(() => app.close());
  const base = await listen(app, options);
  return { app, base, ledger, metrics, logger, state, caller: createCaller(`${base}/rpc`) };
}

/** Signs a challenge, with whatever the test changes. */
async function logIn(
  caller: Caller,
  change: {
    readonly address?: string;
    readonly key?: Uint8Array;
    readonly genesis?: Uint8Array;
    readonly challenge?: string;
  } = {},
) {
  const address = change.address ?? made.adminAddress;
  const asked = await caller.call("session.challenge", { address });
  const challenge = change.challenge ?? String(asked.result?.challenge);
  const message = taggedSm3(
    "credlink/session/1",
    change.genesis ?? made.digest,
    fromHex(challenge),
    addressFromPublicKey(made.admin.publicKey),
  );
  const signature = toHex(sm2Sign(change.key ?? made.admin.privateKey, message));
  const answer = await caller.call("session.login", { address, challenge, signature });
  if (answer.result !== undefined) caller.token = String(answer.result.token);
  return { challenge, signature, address, answer };
}

describe("T-4.5-2: on-chain data only for members that authenticated", () => {
  test.each([
    ["chain.info", {}],
    ["block.get", { height: 0 }],
    ["state.get", { contract: "members", key: "" }],
    ["node.status", {}],
    ["transaction.submit", { transaction: "01" }],
  ])("%s without a session is 401, with one it answers", async (method, params) => {
    const { caller } = await open();
    const refused = await caller.call(method, params);
    expect([refused.status, refused.error?.data.code]).toEqual([401, "API_SESSION_REQUIRED"]);
    expect(refused.headers.get("www-authenticate")).toBe("Bearer");
    const wrong = await caller.call(method, params, "00".repeat(32));
    expect([wrong.status, wrong.error?.data.code]).toEqual([401, "API_SESSION_ENDED"]);
    await logIn(caller);
    expect((await caller.call(method, params)).status).toBe(200);
  });

  test("a challenge is good once, for its address alone", async () => {
    const { caller } = await open();
    const { challenge, signature, address, answer } = await logIn(caller);
    expect(answer.status).toBe(200);
    expect(caller.token).toMatch(/^[0-9a-f]{64}$/);
    const again = await caller.call("session.login", { address, challenge, signature });
    expect([again.status, again.error?.data.code]).toEqual([401, "API_CHALLENGE_UNKNOWN"]);
    const foreign = await logIn(caller, { challenge: "ab".repeat(32) });
    expect(foreign.answer.error?.data.code).toBe("API_CHALLENGE_UNKNOWN");
  });

  test("a wrong key, another chain's genesis, and no member at all", async () => {
    const { caller } = await open();
    const { privateKey, publicKey } = generateKeyPair();
    const wrongKey = await logIn(caller, { key: privateKey });
    expect(wrongKey.answer.error?.data.code).toBe("API_SIGNATURE_INVALID");
    const otherChain = await logIn(caller, { genesis: new Uint8Array(32) });
    expect(otherChain.answer.error?.data.code).toBe("API_SIGNATURE_INVALID");
    const stranger = formatAddress(addressFromPublicKey(publicKey));
    const unknown = await logIn(caller, { address: stranger, key: privateKey });
    expect([unknown.answer.status, unknown.answer.error?.data.code]).toEqual([
      403,
      "API_MEMBER_UNKNOWN",
    ]);
    const bad = await caller.call("session.challenge", { address: "cl1qqqqqqqqqq" });
    expect(bad.error?.data.code).toBe("API_ADDRESS_INVALID");
  });
});

test("S-9.2-5: a node whose data are polluted answers no call, and says what cures it", async () => {
  const { caller, state } = await open();
  await logIn(caller);
  state.isPolluted = true;
  for (const [method, params] of [
    ["chain.info", {}],
    ["node.status", {}],
    ["session.challenge", { address: made.adminAddress }],
    ["transaction.submit", { transaction: "01" }],
  ] as const) {
    const refused = await caller.call(method, params);
    expect(refused.error?.data.code, method).toBe("NODE_DATA_POLLUTED");
  }
});

describe("sessions follow clock and registry", () => {
  async function openSessions() {
    const ledger = await openLedger();
    const members = createMemberView(ledger);
    const address = addressFromPublicKey(made.admin.publicKey);
    const now = { ms: 0 };
    const member = { change: {} };
    const changed: MemberView = {
      ...members,
      member: (who) => {
        const found = members.member(who);
        return found === null ? null : { ...found, ...member.change };
      },
    };
    const clock: Clock = { ...systemClock, monotonicMs: () => now.ms };
    const sessions = new Sessions({
      genesisDigest: made.digest,
      members: changed,
      clock,
      random: systemRandom,
      sessionMs: 1_000,
      maxSessions: 2,
    });
    const sign = (challenge: string) =>
      sm2Sign(
        made.admin.privateKey,
        taggedSm3("credlink/session/1", made.digest, fromHex(challenge), address),
      );
    const logInNow = () => {
      const { challenge } = sessions.challenge(address);
      return sessions.login(address, challenge, sign(challenge)).token;
    };
    const codeOf = (work: () => unknown): string => {
      try {
        work();
        return "ok";
      } catch (error) {
        return error instanceof Error && "code" in error ? String(error.code) : String(error);
      }
    };
    return { sessions, address, now, member, sign, logInNow, codeOf };
  }

  test("a session and a challenge end on time", async () => {
    const { sessions, address, now, sign, logInNow, codeOf } = await openSessions();
    const token = logInNow();
    now.ms = 999;
    expect(codeOf(() => sessions.caller(token))).toBe("ok");
    now.ms = 1_000;
    expect(codeOf(() => sessions.caller(token))).toBe("API_SESSION_ENDED");
    const { challenge } = sessions.challenge(address);
    now.ms += CHALLENGE_MS;
    const late = () => sessions.login(address, challenge, sign(challenge));
    expect(codeOf(late)).toBe("API_CHALLENGE_UNKNOWN");
  });

  test("a member that loses its standing loses its session at the next call", async () => {
    const { sessions, member, logInNow, codeOf } = await openSessions();
    const token = logInNow();
    for (const status of ["suspended", "left", "revoked"]) {
      member.change = { status };
      expect(codeOf(() => sessions.caller(token))).toBe("API_MEMBER_INACTIVE");
    }
    member.change = { validToMs: Date.now() };
    expect(codeOf(() => sessions.caller(token))).toBe("API_MEMBER_INACTIVE");
    member.change = {};
    expect(codeOf(() => sessions.caller(token))).toBe("ok");
    member.change = {
      keys: [{ fromHeight: height(0), publicKey: generateKeyPair().publicKey }],
    };
    expect(codeOf(() => sessions.caller(token))).toBe("API_SESSION_ENDED");
  });

  test("the oldest session makes room", async () => {
    const { sessions, logInNow, codeOf } = await openSessions();
    const tokens = [logInNow(), logInNow(), logInNow()];
    expect(tokens.map((token) => codeOf(() => sessions.caller(token)))).toEqual([
      "API_SESSION_ENDED",
      "ok",
      "ok",
    ]);
  });
});

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
