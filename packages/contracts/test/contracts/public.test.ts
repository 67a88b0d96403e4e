import { SUCCESS } from "@credlink/ledger";
import { decode, encode, toHex, utf8 } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import type { CredentialStep } from "../../../../examples/src/index.ts";
import {
  type CredentialRecord,
  credentialIdArgsCodec,
  discloseField,
  type FieldDisclosure,
  PUBLISHED_TOPIC,
  payloadSchemas,
  publicDataCodec,
  publishArgsCodec,
  publishedEventCodec,
} from "../../src/index.ts";
import { missingCodes } from "../support/codes.ts";
import { memberKeyOf, type TestMember } from "../support/consortium.ts";
import { Desk, institution, makeMonth, other, regulator } from "../support/desk.ts";

let desk: Desk;
let step: CredentialStep & { readonly record: CredentialRecord };
beforeAll(async () => {
  desk = await Desk.open(makeMonth("public"));
  step = stepOf("identity.enterprise");
});

function stepOf(type: string) {
  const found = desk.month.steps.find((each) => each.type === type);
  if (found?.record === null || found === undefined) return expect.fail(`no ${type}`);
  return { ...found, record: found.record };
}

function disclose(path: string, from = step): FieldDisclosure {
  return discloseField(payloadSchemas[from.type], from.payload, from.salts, path);
}

async function publish(
  disclosures: readonly FieldDisclosure[],
  { id = step.record.id, sender = institution } = {},
) {
  const args = encode(publishArgsCodec, { id, disclosures });
  return desk.run("publish", args, { sender });
}

async function read(id = step.record.id, member: TestMember = "auditor") {
  const args = encode(credentialIdArgsCodec, { id });
  const { returnValue } = await desk.chain.query("publicData", args, memberKeyOf(member));
  return decode(publicDataCodec, returnValue);
}

const paths = ["name", "uscc", "legalRepresentative", "businessScope", "serviceScenarios"];

describe("T-4.8.1-a: public data of an enterprise", () => {
  it("is published in clear by its issuer and read by any member", async () => {
    expect((await read()).fields).toEqual([]);
    const receipt = await publish(paths.map((path) => disclose(path)));
    expect(receipt.status).toBe(SUCCESS);
    const [event] = receipt.events;
    expect(event?.topic).toBe(PUBLISHED_TOPIC);
    expect(decode(publishedEventCodec, event?.data ?? new Uint8Array())).toEqual({
      id: step.record.id,
      type: "identity.enterprise",
      issuer: institution.address,
    });
    for (const member of ["auditor", "node", "otherInstitution", "admin"] as const) {
      expect(await read(step.record.id, member)).toEqual({
        type: "identity.enterprise",
        status: "active",
        fields: paths.map((path) => ({ path, value: step.payload[path] })),
      });
    }
  });

  it("shows nothing that was not asked for", async () => {
    const { chain } = desk;
    const args = encode(credentialIdArgsCodec, { id: step.record.id });
    const { returnValue } = await chain.query("publicData", args, memberKeyOf("auditor"));
    for (const { path, level } of payloadSchemas["identity.enterprise"].fields) {
      const value = step.payload[path];
      if (level > 1 && typeof value === "string") {
        expect(toHex(returnValue).includes(toHex(utf8(value))), path).toBe(false);
      }
    }
  });

  it("is replaced by a further publication, down to nothing", async () => {
    expect((await publish([disclose("uscc")])).status).toBe(SUCCESS);
    expect((await read()).fields.map(({ path }) => path)).toEqual(["uscc"]);
    expect((await publish([])).status).toBe(SUCCESS);
    expect((await read()).fields).toEqual([]);
  });

  it("is there for institutions too, every field of theirs", async () => {
    const own = stepOf("identity.institution");
    const all = payloadSchemas["identity.institution"].fields
      .filter(({ path }) => own.payload[path] !== undefined)
      .map(({ path }) => disclose(path, own));
    expect((await publish(all, { id: own.record.id })).status).toBe(SUCCESS);
    expect((await read(own.record.id)).fields.length).toBe(all.length);
  });
});

describe("what is refused", () => {
  it("a field above level 1, and a type that publishes nothing", async () => {
    for (const path of ["contactName", "contactPhone", "basicAccount"]) {
      expect((await publish([disclose(path)])).status).toBe("CREDENTIAL_PUBLIC_LEVEL");
    }
    for (const type of ["identity.individual", "bill.insurance", "contract.framework"]) {
      const { record } = stepOf(type);
      expect((await publish([], { id: record.id })).status).toBe("CREDENTIAL_PUBLIC_LEVEL");
    }
  });

  it("whatever was not committed, in any part", async () => {
    const good = disclose("name");
    const flipped = (bytes: Uint8Array) => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
    const [sibling, ...others] = good.siblings;
    const longer = [...good.siblings, ...others.slice(0, 1)];
    const bad: readonly FieldDisclosure[] = [
      { ...good, value: "另一家公司" },
      { ...good, salt: flipped(good.salt) },
      { ...good, path: "uscc" },
      { ...good, index: 1 },
      { ...good, index: 99 },
      { ...good, fieldCount: 15 },
      { ...good, schema: "identity.enterprise/1.1" },
      { ...good, schema: "identity.institution/1.0" },
      { ...good, siblings: others },
      { ...good, siblings: longer },
      { ...good, siblings: [...others, ...(sibling === undefined ? [] : [sibling])] },
      // Level 1 by its name, and level 3 by its place and content.
      { ...disclose("contactPhone"), path: "name" },
      { ...disclose("contactPhone"), path: "name", index: 0 },
    ];
    for (const disclosure of bad) {
      expect((await publish([disclosure])).status).toBe("CREDENTIAL_PUBLIC_MISMATCH");
    }
  });

  it("fields out of order or twice", async () => {
    const [name, uscc] = [disclose("name"), disclose("uscc")];
    expect((await publish([uscc, name])).status).toBe("CREDENTIAL_PUBLIC_MISMATCH");
    expect((await publish([name, name])).status).toBe("CREDENTIAL_PUBLIC_MISMATCH");
  });

  it("another sender, an unknown credential, one that is not active", async () => {
    expect((await publish([], { sender: other })).status).toBe("CREDENTIAL_NOT_ISSUER");
    expect((await publish([], { sender: regulator })).status).toBe("VM_ACCESS_DENIED");
    const unknown = { id: new Uint8Array(32) };
    expect((await publish([], unknown)).status).toBe("CREDENTIAL_UNKNOWN");
    expect(await desk.revoke(step.record.id, regulator)).toBe(SUCCESS);
    expect((await publish([disclose("name")])).status).toBe("CREDENTIAL_NOT_ACTIVE");
    expect((await read()).status).toBe("revoked");
  });

  it("more than 4 KiB", async () => {
    const { context } = desk;
    const draft = {
      name: "大型机构",
      type: "identity.institution" as const,
      subjectAddresses: [other.address],
      indexes: [{ keyId: 1, value: new Uint8Array(32).fill(9) }],
      payload: {
        ...stepOf("identity.institution").payload,
        nodeIds: Array.from({ length: 16 }, () => "n".repeat(64)),
        supervisor: "x".repeat(3_200),
      },
      validFromMs: context.startMs,
    };
    const made = context.builder.make(draft);
    const record = { ...made.record, issuer: other.address };
    const sent = await desk.submit(draft, { sender: other, change: () => record });
    expect(sent.status).toBe(SUCCESS);
    const large = { ...stepOf("identity.institution"), ...made, record, payload: draft.payload };
    const show = (...names: readonly string[]) =>
      publish(
        names.map((path) => disclose(path, large)),
        { id: record.id, sender: other },
      );
    expect((await show("supervisor", "nodeIds")).status).toBe("CREDENTIAL_PUBLIC_TOO_LARGE");
    expect((await show("supervisor")).status).toBe(SUCCESS);
  });
});

it("every code of this suite was met", () => {
  expect(missingCodes("public", desk.seen)).toEqual([]);
});
