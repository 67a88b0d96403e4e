import {
  addressFromPublicKey,
  formatAddress,
  generateKeyPair,
  sm2Sign,
  systemRandom,
  taggedSm3,
} from "@credlink/crypto";
import { type Clock, fromHex, height } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import { createMemberView } from "../../src/gateway/gateway.ts";
import { CHALLENGE_MS, type MemberView, Sessions } from "../../src/gateway/sessions.ts";
import { systemClock } from "../../src/system-clock.ts";
import { logIn, made, open, openLedger } from "../support/gateway.ts";

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
      maxSessions: () => 2,
      judgeLogin: () => null,
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
