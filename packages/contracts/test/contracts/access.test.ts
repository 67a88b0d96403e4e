import { ROLES, type Role } from "@credlink/crypto";
import { SUCCESS } from "@credlink/ledger";
import { encode } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import { actionDraft } from "../../../../examples/src/month/index.ts";
import {
  type AccessRule,
  accessRules,
  type CredentialRecord,
  type CredentialType,
  correctArgsCodec,
  coSignedTypes,
  credentialIdArgsCodec,
  credentialTypes,
  declineArgsCodec,
  lookupArgsCodec,
  methodRules,
  proposeArgsCodec,
  publishArgsCodec,
  type RecordAction,
  recordActions,
  recordDigest,
  revokeArgsCodec,
  schemaArgsCodec,
  signArgsCodec,
  submitArgsCodec,
  traceArgsCodec,
  useArgsCodec,
} from "../../src/index.ts";
import type { TestCall } from "../support/chain.ts";
import { DAY_MS, memberKeyOf, type TestKey, type TestMember } from "../support/consortium.ts";
import { Desk, institution, makeMonth, reason } from "../support/desk.ts";
import { type Fixtures, makeFixtures } from "../support/fixtures.ts";

/** A member of each role who has nothing to do with any credential of the month. */
const strangers: Readonly<Record<Role, TestMember>> = {
  validator: "node",
  observer: "observer",
  "regulator-node": "regulatorNode",
  enterprise: "enterprise",
  individual: "individual",
  institution: "thirdInstitution",
  regulator: "otherRegulator",
  auditor: "auditor",
  admin: "admin",
};

/** Refusals that say: not you, or not this. */
const denials = new Set([
  "VM_ACCESS_DENIED",
  "CREDENTIAL_ISSUER_UNAUTHORISED",
  "CREDENTIAL_NOT_ISSUER",
  "CREDENTIAL_FOREIGN_PARTY",
  "CREDENTIAL_HOLD_FOREIGN",
  "CREDENTIAL_GRANT_FOREIGN",
  "CREDENTIAL_SIGNER_NOT_WANTED",
  "CREDENTIAL_NOT_REVOCABLE",
  "CREDENTIAL_UNKNOWN",
]);

let desk: Desk;
/** What the contract would take from the right hands. */
let fixtures: Fixtures;
/** A credential of each type that stands, and a proposal of each type that is co-signed. */
const standing = new Map<CredentialType, CredentialRecord>();
const proposed = new Map<CredentialType, CredentialRecord>();

beforeAll(async () => {
  desk = await Desk.open(makeMonth("access"));
  const first = await makeFixtures(desk);
  for (const type of credentialTypes) {
    const { draft, sender, coSigners, record } = first[type];
    if (coSignedTypes.includes(type)) {
      const waiting = desk.make(draft);
      expect((await desk.propose(waiting, { sender })).status, type).toBe(SUCCESS);
      proposed.set(type, waiting);
    }
    const args = encode(submitArgsCodec, record);
    const { status } = await desk.run("submit", args, { sender, coSigners });
    expect(status, type).toBe(SUCCESS);
    standing.set(type, record);
  }
  fixtures = await makeFixtures(desk);
  // What the risk credentials hold is free again for those that the tests try.
  for (const target of [desk.work(4).worker.service, desk.work(4).insurance]) {
    const release = await desk.submit(actionDraft(desk.context, target, "releases"));
    expect(release.status).toBe(SUCCESS);
  }
});

function recordOf(type: CredentialType): CredentialRecord {
  return standing.get(type) ?? expect.fail(`no ${type}`);
}

/** What the contract would take, under another's name. */
function issuedBy(type: CredentialType, sender: TestKey): CredentialRecord {
  const id = desk.context.random.bytes(32);
  return { ...fixtures[type].record, id, issuer: sender.address };
}

/** The call by which that member tries that action on a credential of that type. */
function attemptOf(action: RecordAction, type: CredentialType, sender: TestKey): TestCall {
  const { id } = recordOf(type);
  const waiting = proposed.get(type) ?? recordOf(type);
  const next = () => issuedBy(type, sender);
  const call = (args: Uint8Array): TestCall => ({ sender, method: action, args });
  switch (action) {
    case "submit":
      return { ...call(encode(submitArgsCodec, next())), coSigners: fixtures[type].coSigners };
    case "correct":
      return {
        ...call(encode(correctArgsCodec, { id, reason, record: next() })),
        coSigners: fixtures[type].coSigners,
      };
    case "revoke":
      return call(encode(revokeArgsCodec, { id, reason }));
    case "sign":
      return call(encode(signArgsCodec, { id: waiting.id, digest: recordDigest(waiting) }));
    case "decline":
      return call(encode(declineArgsCodec, { id: waiting.id, reason }));
    case "withdraw":
      return call(encode(credentialIdArgsCodec, { id: waiting.id }));
    case "publish":
      return call(encode(publishArgsCodec, { id, disclosures: [] }));
    case "use": {
      const target = recordOf("transaction.payment").id;
      return call(encode(useArgsCodec, { grant: id, target, action: 1, purpose: "income-proof" }));
    }
    default:
      return action satisfies never;
  }
}

function rulesOf(action: RecordAction, type: CredentialType, role: Role): readonly AccessRule[] {
  return accessRules.filter(
    (rule) => rule.action === action && rule.types.includes(type) && rule.roles.includes(role),
  );
}

/** Whether the role alone is enough. */
function isOpen(action: RecordAction, type: CredentialType, role: Role): boolean {
  return rulesOf(action, type, role).some(({ relation }) => relation === null);
}

describe("T-4.6.2-2: every cell of the matrix, by a member of the role and no relation", () => {
  const cells = ROLES.flatMap((role) => recordActions.map((action) => [role, action] as const));

  it.each(cells)("%s cannot %s what its role does not allow", async (role, action) => {
    const sender = memberKeyOf(strangers[role]);
    const types = credentialTypes.filter((type) => !isOpen(action, type, role));
    const before = desk.chain.stateRoot;
    const calls = types.map((type) => attemptOf(action, type, sender));
    const { receipts, writes } = await desk.chain.attempt(calls);
    for (const [i, type] of types.entries()) {
      const status = receipts[i]?.status ?? "none";
      expect(denials.has(status), `${role} ${action} ${type}: ${status}`).toBe(true);
      // A role that no rule names for this action is stopped before any relation is looked at.
      if (action !== "submit" || rulesOf(action, type, role).length > 0) continue;
      const byRole = ["VM_ACCESS_DENIED", "CREDENTIAL_ISSUER_UNAUTHORISED"];
      expect(byRole, `${role} ${type}`).toContain(status);
    }
    expect(writes).toBe(0);
    expect(desk.chain.stateRoot).toBe(before);
  });

  it("what the role alone allows is done", async () => {
    let open = 0;
    for (const role of ROLES) {
      for (const action of recordActions) {
        for (const type of credentialTypes) {
          if (!isOpen(action, type, role)) continue;
          const call = attemptOf(action, type, memberKeyOf(strangers[role]));
          const { receipts } = await desk.chain.attempt([call]);
          const status = receipts[0]?.status ?? "none";
          const done = [SUCCESS, "CREDENTIAL_HAS_DEPENDENTS", "CREDENTIAL_CASE_CLOSED"];
          expect(done, `${role} ${action} ${type}: ${status}`).toContain(
            status === "CREDENTIAL_NOT_ACTIVE" && type.startsWith("arbitration") ? SUCCESS : status,
          );
          open++;
        }
      }
    }
    expect(open).toBeGreaterThan(20);
  });
});

describe("T-4.6.2-2: relations count too", () => {
  it("the issuer cannot sign or decline for the parties, nor use the grant that it gave", async () => {
    const calls = coSignedTypes.flatMap((type) =>
      (["sign", "decline"] as const).map((action) => attemptOf(action, type, institution)),
    );
    const { receipts, writes } = await desk.chain.attempt(calls);
    for (const { status } of receipts) expect(status).toBe("CREDENTIAL_SIGNER_NOT_WANTED");
    expect(writes).toBe(0);
    const grantor = desk.work(0).worker.serviceKey;
    const used = await desk.chain.attempt([attemptOf("use", "grant.access", grantor)]);
    expect(used.receipts[0]?.status).toBe("CREDENTIAL_GRANT_FOREIGN");
  });

  it("the parties of a credential cannot issue, correct, revoke or publish it", async () => {
    const { worker } = desk.work(0);
    const business = credentialTypes.filter((type) => !/^(?:arbitration|grant)/.test(type));
    for (const sender of [worker.serviceKey, worker.identityKey, worker.enterprise.frameworkKey]) {
      const calls = business.flatMap((type) =>
        (["submit", "correct", "revoke", "publish"] as const).map((action) =>
          attemptOf(action, type, sender),
        ),
      );
      const { receipts, writes } = await desk.chain.attempt(calls);
      for (const { status } of receipts) expect(denials.has(status), status).toBe(true);
      expect(writes).toBe(0);
    }
  });

  it("proposing is no way around: the same cells are refused", async () => {
    const untilMs = desk.nowMs + DAY_MS;
    for (const role of ROLES) {
      const sender = memberKeyOf(strangers[role]);
      const types = credentialTypes.filter((type) => !isOpen("submit", type, role));
      const calls = types.map((type) => {
        const record = issuedBy(type, sender);
        const args = encode(proposeArgsCodec, { record, untilMs, correction: null });
        return { sender, method: "propose", args };
      });
      const { receipts, writes } = await desk.chain.attempt(calls);
      for (const [i, type] of types.entries()) {
        const status = receipts[i]?.status ?? "none";
        expect(denials.has(status), `${role} ${type}: ${status}`).toBe(true);
      }
      expect(writes).toBe(0);
    }
  });
});

describe("T-4.6.2-1: methods of no type, and reading", () => {
  const id = new Uint8Array(32);
  const argsOf = (name: string): Uint8Array => {
    if (name === "trace") return encode(traceArgsCodec, { id, offset: 0, limit: 1 });
    if (name === "lookup") return encode(lookupArgsCodec, { keyId: 1, value: id });
    if (name === "schema") return encode(schemaArgsCodec, { schema: "risk.alert/1.0" });
    if (name === "arbitrators") return Uint8Array.of(0x90);
    return encode(credentialIdArgsCodec, { id });
  };
  const cells = methodRules.flatMap((rule) => ROLES.map((role) => [rule, role] as const));

  it.each(methodRules.map((rule) => [rule.name, rule] as const))(
    "%s is refused to every role that is not listed, by the node",
    async (_name, { name, readOnly, roles }) => {
      for (const role of ROLES) {
        const sender = memberKeyOf(strangers[role]);
        const args = argsOf(name);
        const answer = readOnly
          ? await desk.chain.query(name, args, sender)
          : (await desk.chain.attempt([{ sender, method: name, args }])).receipts[0];
        const isDenied = answer?.status === "VM_ACCESS_DENIED";
        expect(isDenied, `${name} ${role}`).toBe(!roles.includes(role));
      }
    },
  );

  it("counts every cell", () => {
    expect(cells.length).toBe(methodRules.length * ROLES.length);
    expect(recordActions.length * credentialTypes.length * ROLES.length).toBe(1_440);
  });
});
