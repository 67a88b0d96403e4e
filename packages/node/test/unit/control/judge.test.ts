import {
  CONTROL_DOMAIN,
  type ControlRequest,
  controlRequestCodec,
  MAX_CONTROL_LIFETIME_MS,
} from "@credlink/api";
import {
  addressFromPublicKey,
  generateKeyPair,
  randomBytes,
  sm2Sign,
  taggedSm3,
} from "@credlink/crypto";
import type { Member, MemberRole } from "@credlink/ledger";
import { digest, encode, height } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import {
  ControlNonces,
  judgeRequest,
  MAX_CLOCK_SKEW_MS,
  MAX_NONCES,
} from "../../../src/control/judge.ts";
import { systemClock } from "../../../src/system-clock.ts";

const NOW_MS = 1_800_000_000_000;
const keys = generateKeyPair();
const address = addressFromPublicKey(keys.publicKey);
const genesisDigest = digest(new Uint8Array(32).fill(5));
const node = "12D3KooWNode";

function member(role: MemberRole = "admin", organization = "org-1"): Member {
  return {
    ...{ address, organization, role, status: "active", certificateDigest: null },
    keys: [{ fromHeight: height(0), publicKey: keys.publicKey }],
    ...{ enrolledBy: null, validFromMs: 0, validToMs: NOW_MS * 2 },
  };
}

function request(change: Partial<ControlRequest> = {}): ControlRequest {
  return {
    ...{ version: 1, genesisDigest, node, admin: address, nonce: randomBytes(16) },
    ...{ issuedAtMs: NOW_MS, expiresAtMs: NOW_MS + 60_000, action: "drain", key: "", value: "" },
    ...change,
  };
}

const parts = (nonces = new ControlNonces(), nowMs = NOW_MS) => ({
  ...{ genesisDigest, node, organization: "org-1", nonces },
  clock: { ...systemClock, nowMs: () => nowMs },
});

function judge(
  asked: ControlRequest,
  options: {
    readonly as?: Member;
    readonly signature?: Uint8Array;
    readonly nonces?: ControlNonces;
    readonly nowMs?: number;
  } = {},
): string {
  const bytes = encode(controlRequestCodec, asked);
  const own = sm2Sign(keys.privateKey, taggedSm3(CONTROL_DOMAIN, bytes));
  const caller = { member: options.as ?? member(), publicKey: keys.publicKey };
  const signature = options.signature ?? own;
  const result = judgeRequest(parts(options.nonces, options.nowMs), caller, bytes, signature);
  return result.ok ? "accepted" : result.code;
}

describe("S-8.4-2: a request that changes a node", () => {
  test("is accepted from an admin of its organisation, once", () => {
    const nonces = new ControlNonces();
    const asked = request();
    expect(judge(asked, { nonces })).toBe("accepted");
    expect(judge(asked, { nonces })).toBe("NODE_CONTROL_REPLAYED");
    expect(judge(request({ nonce: asked.nonce, action: "stop" }), { nonces })).toBe(
      "NODE_CONTROL_REPLAYED",
    );
  });

  const others = [
    ["admin", "org-2"],
    ["regulator", "org-1"],
    ["auditor", "org-1"],
    ["institution", "org-1"],
    ["enterprise", "org-1"],
    ["individual", "org-1"],
    ["validator", "org-1"],
    ["observer", "org-1"],
    ["regulator-node", "org-1"],
  ] as const;
  test.each(others)("is refused from a member of role %s in %s", (role, organization) => {
    const nonces = new ControlNonces();
    const asked = request();
    expect(judge(asked, { as: member(role, organization), nonces })).toBe("NODE_CONTROL_FORBIDDEN");
    // A refusal uses up no nonce: the right one may still come.
    expect(judge(asked, { nonces })).toBe("accepted");
  });

  test.each([
    ["another chain", { genesisDigest: digest(new Uint8Array(32)) }, "NODE_CONTROL_WRONG_NODE"],
    ["another node", { node: "12D3KooWOther" }, "NODE_CONTROL_WRONG_NODE"],
    ["another version", { version: 2 }, "NODE_CONTROL_MALFORMED"],
    [
      "another admin's name",
      { admin: addressFromPublicKey(generateKeyPair().publicKey) },
      "NODE_CONTROL_WRONG_SIGNER",
    ],
  ])("is refused for %s", (_what, change, code) => {
    expect(judge(request(change))).toBe(code);
  });

  test.each([
    ["at its end", 0, 60_000, 60_000, "NODE_CONTROL_EXPIRED"],
    ["a millisecond before its end", 0, 60_000, 59_999, "accepted"],
    ["as early as clocks may differ", MAX_CLOCK_SKEW_MS, MAX_CLOCK_SKEW_MS + 1, 0, "accepted"],
    ["earlier than that", MAX_CLOCK_SKEW_MS + 1, MAX_CLOCK_SKEW_MS + 2, 0, "NODE_CONTROL_EXPIRED"],
    ["with the longest life", 0, MAX_CONTROL_LIFETIME_MS, 0, "accepted"],
    ["with a longer life", 0, MAX_CONTROL_LIFETIME_MS + 1, 0, "NODE_CONTROL_EXPIRED"],
    ["that ends before it begins", 10, 10, 0, "NODE_CONTROL_EXPIRED"],
  ])("judged by time: %s", (_what, issued, expires, now, code) => {
    const times = { issuedAtMs: NOW_MS + issued, expiresAtMs: NOW_MS + expires };
    expect(judge(request(times), { nowMs: NOW_MS + now })).toBe(code);
  });

  test("is refused with a signature by another key, over other bytes, or of another length", () => {
    const asked = request();
    const bytes = encode(controlRequestCodec, asked);
    const stranger = generateKeyPair().privateKey;
    const wrong = [
      sm2Sign(stranger, taggedSm3(CONTROL_DOMAIN, bytes)),
      sm2Sign(keys.privateKey, bytes),
      sm2Sign(keys.privateKey, taggedSm3("credlink/session/1", bytes)),
      new Uint8Array(63),
      new Uint8Array(0),
    ];
    for (const signature of wrong) {
      expect(judge(asked, { signature })).toBe("NODE_CONTROL_SIGNATURE_INVALID");
    }
  });

  test("is refused where its bytes are not canonical", () => {
    const caller = { member: member(), publicKey: keys.publicKey };
    const good = encode(controlRequestCodec, request());
    for (const bytes of [new Uint8Array(), good.subarray(1), Uint8Array.of(...good, 0)]) {
      const result = judgeRequest(parts(), caller, bytes, new Uint8Array(64));
      expect(result).toMatchObject({ ok: false, code: "NODE_CONTROL_MALFORMED" });
    }
  });

  test("waits where as many nonces are remembered as may, until some have ended", () => {
    const nonces = new ControlNonces();
    for (let index = 0; index < MAX_NONCES; index++) {
      nonces.take(randomBytes(16), NOW_MS + 1_000);
    }
    expect(judge(request(), { nonces })).toBe("NODE_CONTROL_BUSY");
    expect(judge(request(), { nonces, nowMs: NOW_MS + 1_001 })).toBe("accepted");
  });
});
