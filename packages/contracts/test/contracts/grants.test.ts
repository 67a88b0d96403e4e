import { SUCCESS } from "@credlink/ledger";
import { address, decode, digest, encode } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import { grantDraft } from "../../../../examples/src/month/index.ts";
import {
  credentialIdArgsCodec,
  decodeGrantTerms,
  encodeGrantTerms,
  type GrantAction,
  type GrantTerms,
  grantActionCode,
  useArgsCodec,
  usedEventCodec,
  usesAnswerCodec,
} from "../../src/index.ts";
import { missingCodes } from "../support/codes.ts";
import { DAY_MS, memberKeyOf, type TestKey } from "../support/consortium.ts";
import { Desk, institution, makeMonth, other, regulator } from "../support/desk.ts";

const grantee = memberKeyOf("otherInstitution");
const PURPOSE = "income-proof";

let desk: Desk;
beforeAll(async () => {
  desk = await Desk.open(makeMonth("grants"));
});

function draft(place: number, terms: Partial<GrantTerms> = {}) {
  const made = grantDraft(desk.context, desk.work(place), grantee);
  return { ...made, terms: encodeGrantTerms({ ...decodeGrantTerms(made.terms), ...terms }) };
}

async function granted(place: number, terms: Partial<GrantTerms> = {}) {
  const { status, record } = await desk.submit(draft(place, terms));
  expect(status).toBe(SUCCESS);
  return record;
}

interface Use {
  readonly sender?: TestKey;
  readonly target?: Uint8Array;
  readonly action?: GrantAction;
  readonly code?: number;
  readonly purpose?: string;
  readonly timestampMs?: number;
}

async function use(grant: { readonly id: Uint8Array }, place: number, options: Use = {}) {
  const { sender = grantee, target = desk.work(place).payment.id, purpose = PURPOSE } = options;
  const action = options.code ?? grantActionCode(options.action ?? "read");
  const args = encode(useArgsCodec, { grant: grant.id, target, action, purpose });
  const { timestampMs } = options;
  return desk.run("use", args, timestampMs === undefined ? { sender } : { sender, timestampMs });
}

describe("T-4.9.3-b, S-9.4-13: a grant", () => {
  it("S-9.4-14: each use is counted and says who used what, when, how often", async () => {
    const grant = await granted(2);
    const first = await use(grant, 2);
    expect(first.status).toBe(SUCCESS);
    expect(decode(usesAnswerCodec, first.returnValue).count).toBe(1);
    const second = await use(grant, 2, { action: "verify" });
    const event = second.events[0] ?? expect.fail("an event");
    expect(event.topic).toBe("credential.used");
    expect(decode(usedEventCodec, event.data)).toEqual({
      grant: grant.id,
      target: desk.work(2).payment.id,
      action: grantActionCode("verify"),
      by: grantee.address,
      purpose: PURPOSE,
      count: 2,
    });
    const args = encode(credentialIdArgsCodec, { id: grant.id });
    const { returnValue } = await desk.chain.query("uses", args, regulator);
    expect(decode(usesAnswerCodec, returnValue).count).toBe(2);
    expect((await use(grant, 2)).status).toBe("CREDENTIAL_GRANT_EXHAUSTED");
  });

  it("without a limit is used as often as the grantee likes", async () => {
    const grant = await granted(2, { maxUses: null });
    for (let count = 1; count <= 5; count++) {
      const { returnValue } = await use(grant, 2);
      expect(decode(usesAnswerCodec, returnValue).count).toBe(count);
    }
  });

  it("is for one grantee, purpose, action and target", async () => {
    const grant = await granted(3);
    const refused = async (options: Use) => (await use(grant, 3, options)).status;
    expect(await refused({ sender: institution })).toBe("CREDENTIAL_GRANT_FOREIGN");
    expect(await refused({ purpose: "marketing" })).toBe("CREDENTIAL_GRANT_PURPOSE");
    expect(await refused({ purpose: "income-prooF" })).toBe("CREDENTIAL_GRANT_PURPOSE");
    expect(await refused({ action: "export" })).toBe("CREDENTIAL_GRANT_ACTION");
    for (const code of [0, 3, 8]) {
      expect(await refused({ code })).toBe("CREDENTIAL_GRANT_ACTION");
    }
    const elsewhere = desk.work(2).payment.id;
    expect(await refused({ target: elsewhere })).toBe("CREDENTIAL_GRANT_TARGET");
    expect((await use({ id: elsewhere }, 3)).status).toBe("CREDENTIAL_UNKNOWN");
    expect(await refused({})).toBe(SUCCESS);
  });

  it("S-9.4-15: is revoked by the data subject at any time, and never used again", async () => {
    const grant = await granted(3);
    expect((await use(grant, 3)).status).toBe(SUCCESS);
    expect(await desk.revoke(grant.id, grantee)).toBe("CREDENTIAL_NOT_ISSUER");
    expect(await desk.revoke(grant.id, desk.work(3).worker.serviceKey)).toBe(SUCCESS);
    expect((await use(grant, 3)).status).toBe("CREDENTIAL_NOT_ACTIVE");
  });

  it("that is irrevocable is taken back by a regulator only", async () => {
    const grant = await granted(3, { isRevocable: false });
    const own = desk.work(3).worker.serviceKey;
    expect(await desk.revoke(grant.id, own)).toBe("CREDENTIAL_NOT_REVOCABLE");
    expect(await desk.revoke(grant.id, regulator)).toBe(SUCCESS);
  });
});

describe("who may grant", () => {
  it("only whom the credentials are about", async () => {
    const stranger = desk.work(4).worker.serviceKey;
    const made = { ...draft(3), subjects: [stranger], sender: stranger };
    expect((await desk.submit(made)).status).toBe("CREDENTIAL_GRANT_FOREIGN");
    const both = draft(3);
    const further = { id: desk.work(4).payment.id, relation: "grants" as const };
    const mixed = { ...both, parents: [...both.parents, further] };
    expect((await desk.submit(mixed)).status).toBe("CREDENTIAL_GRANT_FOREIGN");
  });

  it("or the institution that issued them, with a consent, which the subject may end", async () => {
    const { sender: _own, ...made } = draft(4);
    expect((await desk.submit(made)).status).toBe("CREDENTIAL_CONSENT_MISSING");
    const consentDigest = digest(new Uint8Array(32).fill(5));
    const { sender: _same, ...consented } = draft(4, { consentDigest });
    expect((await desk.submit(consented, { sender: other })).status).toBe(
      "CREDENTIAL_GRANT_FOREIGN",
    );
    const { status, record } = await desk.submit(consented);
    expect(status).toBe(SUCCESS);
    expect((await use(record, 4)).status).toBe(SUCCESS);
    expect(await desk.revoke(record.id, desk.work(4).worker.serviceKey)).toBe(SUCCESS);
  });

  it("nobody to himself, and nobody of another role", async () => {
    const own = desk.work(4).worker.serviceKey;
    const selfish = await desk.submit(draft(4, { grantee: own.address }));
    expect(selfish.status).toBe("CREDENTIAL_FOREIGN_PARTY");
    const made = { ...draft(4), sender: regulator };
    expect((await desk.submit(made)).status).toBe("CREDENTIAL_ISSUER_UNAUTHORISED");
  });

  it("with terms that mean something", async () => {
    const cases: readonly Partial<GrantTerms>[] = [
      { actions: [] },
      { purpose: "" },
      { maxUses: 0 },
    ];
    for (const terms of cases) {
      expect((await desk.submit(draft(4, terms))).status).toBe("CREDENTIAL_TERMS");
    }
    const { validToMs: _end, ...endless } = draft(4);
    expect((await desk.submit(endless)).status).toBe("CREDENTIAL_VALIDITY");
  });
});

it("has a beginning and an end by block time", async () => {
  const made = draft(5);
  const validFromMs = desk.nowMs + DAY_MS;
  const validToMs = validFromMs + DAY_MS;
  const { status, record } = await desk.submit({ ...made, validFromMs, validToMs });
  expect(status).toBe(SUCCESS);
  const at = async (timestampMs: number) => (await use(record, 5, { timestampMs })).status;
  expect(await at(validFromMs - 1)).toBe("CREDENTIAL_GRANT_TERM");
  expect(await at(validFromMs)).toBe(SUCCESS);
  expect(await at(validToMs - 1)).toBe(SUCCESS);
  expect(await at(validToMs)).toBe("CREDENTIAL_GRANT_TERM");
  expect(address(record.issuer)).toEqual(desk.work(5).worker.serviceKey.address);
});

it("every code of this suite was met", () => {
  expect(missingCodes("grants", desk.seen)).toEqual([]);
});
