import { sm2Sign } from "@credlink/crypto";
import {
  type BindKeyArgs,
  bindKeyArgsCodec,
  type EnrollIndividualsArgs,
  type EnrolmentOutcome,
  enrolledIndividualsCodec,
  enrollIndividualsArgsCodec,
  enrolmentOutcomesCodec,
  getMemberArgsCodec,
  type IdentityEvidenceKind,
  identityCodec,
  identityEvidenceDigest,
  keyBindingMessage,
  MAX_INDIVIDUALS,
  memberKeyAt,
  memberOfKey,
  type Receipt,
  rotateKeyArgsCodec,
  setMemberStatusArgsCodec,
} from "@credlink/ledger";
import { type Address, decode, digest, encode } from "@credlink/primitives";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TestChain } from "../support/chain.ts";
import {
  type Consortium,
  createConsortium,
  DAY_MS,
  GENESIS_MS,
  issue,
} from "../support/consortium.ts";
import { freshKey, proven, TEST_GENESIS_DIGEST, type TestKeyPair } from "../support/key-holder.ts";
import { changeMemberRow, readMemberRow } from "../support/member-row.ts";
import { nth } from "../support/nth.ts";

let consortium: Consortium;
let chain: TestChain;
let institution: Address;
let admin: Address;
let otherAdmin: Address;

beforeAll(async () => {
  consortium = await createConsortium();
  institution = consortium.institution.address;
  admin = nth(consortium.admins, 0).address;
  otherAdmin = nth(consortium.admins, 1).address;
});
beforeEach(() => {
  chain = new TestChain(consortium.genesis);
});

const call = (method: string, args: Uint8Array, by: Address): Promise<Receipt> =>
  chain.run({ contract: "members", method, args, signers: [by] });
const shown = (value = "11010519491231002X", kind: IdentityEvidenceKind = "identity-card") => ({
  kind,
  digest: identityEvidenceDigest({ kind, value }, new Uint8Array(32).fill(9)),
});
const person = ({ address }: TestKeyPair, ...evidence: ReturnType<typeof shown>[]) => ({
  address,
  evidence: evidence.length === 0 ? [shown()] : evidence,
});

function enrol(
  individuals: EnrollIndividualsArgs["individuals"],
  by = institution,
  change: Partial<EnrollIndividualsArgs> = {},
): Promise<Receipt> {
  const validity = { validFromMs: GENESIS_MS, validToMs: GENESIS_MS + 100 * DAY_MS };
  const args = { individuals, ...validity, ...change };
  return call("enrollIndividuals", encode(enrollIndividualsArgsCodec, args), by);
}

const outcomesOf = ({ returnValue }: Receipt): readonly EnrolmentOutcome[] =>
  decode(enrolmentOutcomesCodec, returnValue);

/** What the holder of an enrolment key makes for a key of its own. */
function binding(
  enrolment: TestKeyPair,
  own: TestKeyPair,
  genesis = TEST_GENESIS_DIGEST,
): BindKeyArgs {
  const { address, publicKey: enrolmentKey } = enrolment;
  const message = keyBindingMessage(genesis, { address, publicKey: own.publicKey });
  const authorization = sm2Sign(enrolment.privateKey, message);
  return { address, enrolmentKey, authorization, ...proven(own, address, 0, genesis) };
}

const bind = (args: BindKeyArgs, by = institution): Promise<Receipt> =>
  call("bindKey", encode(bindKeyArgsCodec, args), by);

describe("S-11.4-2a: members.enrollIndividuals", () => {
  it("adds individuals without keys, verified by salted evidence, and one event", async () => {
    const people = Array.from({ length: 3 }, freshKey);
    const receipt = await enrol(people.map((each, index) => person(each, shown(`value ${index}`))));
    expect(outcomesOf(receipt)).toEqual(["enrolled", "enrolled", "enrolled"]);
    expect(receipt.events).toHaveLength(1);
    expect(receipt.events[0]).toMatchObject({ topic: "individuals" });
    const [event] = receipt.events;
    expect(decode(enrolledIndividualsCodec, event?.data ?? new Uint8Array(0))).toEqual(
      people.map(({ address }) => address),
    );
    for (const [index, { address }] of people.entries()) {
      const member = readMemberRow(chain, address);
      expect(member).toMatchObject({ status: "verified", role: "individual", keys: [] });
      expect(member.enrolledBy).toEqual(institution);
      expect(memberKeyAt(member, 1_000)).toBeNull();
      const query = { contract: "members", method: "identity", signers: [admin] };
      const args = encode(getMemberArgsCodec, { address });
      const { returnValue } = await chain.query({ ...query, args });
      expect(decode(identityCodec, returnValue)).toEqual([
        { ...shown(`value ${index}`), verifier: institution, verifiedAtMs: chain.timeMs },
      ]);
    }
  });

  it("takes the largest batch within the gas that the SDK gives it", async () => {
    const people = Array.from({ length: MAX_INDIVIDUALS }, freshKey);
    const receipt = await enrol(people.map((each) => person(each)));
    expect(new Set(outcomesOf(receipt))).toEqual(new Set(["enrolled"]));
    expect(receipt.gasUsed).toBeLessThan(1_000_000 + MAX_INDIVIDUALS * 80_000);
  });

  it("changes nothing when it comes again, alone or beside others", async () => {
    const [first, second] = [freshKey(), freshKey()];
    await enrol([person(first)]);
    const before = readMemberRow(chain, first.address);
    const validToMs = GENESIS_MS + 50 * DAY_MS;
    const again = await enrol([person(first), person(second), person(second)], admin, {
      validToMs,
    });
    expect(outcomesOf(again)).toEqual(["present", "enrolled", "present"]);
    expect(readMemberRow(chain, first.address)).toEqual(before);
    const third = await enrol([person(first)]);
    expect(outcomesOf(third)).toEqual(["present"]);
    expect(third.events).toEqual([]);
  });

  it("tells apart other evidence, and an address that is another's", async () => {
    const known = freshKey();
    await enrol([person(known)]);
    expect(outcomesOf(await enrol([person(known, shown("other"))]))).toEqual(["differs"]);
    const elsewhere = await enrol([person(known)], otherAdmin);
    expect(outcomesOf(elsewhere)).toEqual(["taken"]);
    const notAnIndividual = { address: admin, evidence: [shown()] };
    expect(outcomesOf(await enrol([notAnIndividual], admin))).toEqual(["taken"]);
    const rotated = freshKey();
    const { enterprise } = consortium;
    const rotation = { ...proven(rotated, enterprise.address, 1), certificate: null };
    await call("rotateKey", encode(rotateKeyArgsCodec, rotation), enterprise.address);
    expect(outcomesOf(await enrol([person(rotated)]))).toEqual(["taken"]);
  });

  it("refuses whole batches: nobody, no evidence, a wrong validity, other callers", async () => {
    expect((await enrol([])).status).toBe("MEMBERS_BATCH_EMPTY");
    const pair = freshKey();
    const bare = { address: pair.address, evidence: [] };
    expect((await enrol([person(freshKey()), bare])).status).toBe("MEMBERS_EVIDENCE_MISSING");
    const over = { validToMs: GENESIS_MS };
    expect((await enrol([person(pair)], institution, over)).status).toBe(
      "MEMBERS_VALIDITY_INVALID",
    );
    const long = { validToMs: GENESIS_MS + 4 * 366 * DAY_MS };
    expect((await enrol([person(pair)], institution, long)).status).toBe(
      "MEMBERS_VALIDITY_INVALID",
    );
    const callers = [consortium.regulator.address, consortium.enterprise.address];
    for (const by of callers) {
      expect((await enrol([person(pair)], by)).status).toBe("VM_ACCESS_DENIED");
    }
    expect(() => readMemberRow(chain, pair.address)).toThrow();
  });
});

describe("T-4.5-1: members.bindKey", () => {
  let enrolment: TestKeyPair;
  beforeEach(async () => {
    enrolment = freshKey();
    await enrol([person(enrolment)]);
  });

  it("gives the individual its own key from the next height on, whoever brings it", async () => {
    const own = freshKey();
    const receipt = await bind(binding(enrolment, own), consortium.enterprise.address);
    expect(receipt.status).toBe("SUCCESS");
    expect(receipt.events.map(({ topic }) => topic)).toEqual(["status", "key"]);
    const member = readMemberRow(chain, enrolment.address);
    expect(member).toMatchObject({ status: "active", enrolledBy: institution });
    expect(member.keys).toEqual([{ fromHeight: chain.view.height + 1, publicKey: own.publicKey }]);
    expect(memberKeyAt(member, chain.view.height)).toBeNull();
    expect(memberOfKey(chain.view, own.publicKey)?.address).toEqual(enrolment.address);
  });

  it("the member's next key follows as any other's", async () => {
    const own = freshKey();
    await bind(binding(enrolment, own));
    const { address } = enrolment;
    const next = { ...proven(freshKey(), address, 1), certificate: null };
    const receipt = await call("rotateKey", encode(rotateKeyArgsCodec, next), address);
    expect(receipt.status).toBe("SUCCESS");
    expect(readMemberRow(chain, address).keys).toHaveLength(2);
  });

  it("serves once", async () => {
    expect((await bind(binding(enrolment, freshKey()))).status).toBe("SUCCESS");
    expect((await bind(binding(enrolment, freshKey()))).status).toBe("MEMBERS_KEY_BOUND");
  });

  it("is refused for another enrolment key, another key, another chain", async () => {
    const own = freshKey();
    const good = binding(enrolment, own);
    const stranger = freshKey();
    const other = digest(new Uint8Array(32).fill(1));
    const cases: readonly (readonly [BindKeyArgs, string])[] = [
      [{ ...good, enrolmentKey: stranger.publicKey }, "MEMBERS_BINDING_NOT_PROVEN"],
      [{ ...good, enrolmentKey: new Uint8Array(65) }, "MEMBERS_BINDING_NOT_PROVEN"],
      [{ ...good, authorization: new Uint8Array(64).fill(1) }, "MEMBERS_BINDING_NOT_PROVEN"],
      // Whoever saw the binding on its way puts its own key in.
      [{ ...good, ...proven(stranger, enrolment.address, 0) }, "MEMBERS_BINDING_NOT_PROVEN"],
      [binding(enrolment, own, other), "MEMBERS_BINDING_NOT_PROVEN"],
      [{ ...good, possession: new Uint8Array(64).fill(1) }, "MEMBERS_KEY_NOT_PROVEN"],
      [{ ...good, publicKey: new Uint8Array(65) }, "MEMBERS_KEY_INVALID"],
      [binding(enrolment, enrolment), "MEMBERS_KEY_KNOWN"],
      [binding(stranger, own), "MEMBERS_NOT_FOUND"],
    ];
    for (const [args, status] of cases) expect((await bind(args)).status).toBe(status);
    expect(readMemberRow(chain, enrolment.address)).toMatchObject({ status: "verified", keys: [] });
    expect((await bind(good)).status).toBe("SUCCESS");
  });

  it("is refused for whoever left, was revoked, has expired, or has a key by another way", async () => {
    const { address } = enrolment;
    const good = binding(enrolment, freshKey());
    for (const status of ["left", "revoked"] as const) {
      changeMemberRow(chain, address, { status });
      expect((await bind(good)).status).toBe("MEMBERS_STATUS_STEP");
    }
    changeMemberRow(chain, address, { status: "verified", validToMs: GENESIS_MS });
    expect((await bind(good)).status).toBe("MEMBERS_VALIDITY_INVALID");
    const worker = await issue(nth(consortium.organizations, 0), "individual", "worker");
    const { institution: known } = consortium;
    expect(worker.address).not.toEqual(known.address);
    const forged = { ...good, address: known.address };
    expect((await bind(forged)).status).toBe("MEMBERS_KEY_BOUND");
  });

  it("is the only way to become active: nobody activates an individual without a key", async () => {
    const args = { address: enrolment.address, status: "active" } as const;
    for (const by of [institution, admin]) {
      const receipt = await call("setStatus", encode(setMemberStatusArgsCodec, args), by);
      expect(receipt.status).toBe("MEMBERS_KEY_MISSING");
    }
    const gone = { ...args, status: "revoked" } as const;
    const receipt = await call("setStatus", encode(setMemberStatusArgsCodec, gone), institution);
    expect(receipt.status).toBe("SUCCESS");
  });
});
