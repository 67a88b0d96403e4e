import {
  type Client,
  ClientError,
  exportVerifiableCredential,
  verifyVerifiableCredential,
} from "@credlink/client";
import { type CredentialFile, revokeArgsCodec } from "@credlink/contracts";
import { formatAddress, sm3 } from "@credlink/crypto";
import { concatBytes, digest, encode, toHex, utf8 } from "@credlink/primitives";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GENESIS_MS, memberKeyOf } from "../../../contracts/test/support/consortium.ts";
import { type CredentialGateway, openCredentialGateway } from "../support/credential-gateway.ts";

type Document = Record<string, unknown>;

let door: CredentialGateway;
let issuer: Client;
let invoice: CredentialFile;
let document: Document;

beforeAll(async () => {
  door = await openCredentialGateway();
  issuer = door.clientOf("institution");
  const step = door.month.steps.find(({ id }) => toHex(id) === toHex(door.invoice));
  const record = step?.record ?? null;
  if (step === undefined || record === null) throw new Error("the invoice is among the steps");
  const { payload, salts, openings } = step;
  invoice = { record, payload, salts, openings };
  document = await make(["invoiceNumber", "total"]);
});
afterAll(() => door?.close());

/** As another program reads it. */
async function make(paths: readonly string[]): Promise<Document> {
  const made = await exportVerifiableCredential(issuer, { file: invoice, paths }, GENESIS_MS);
  return JSON.parse(JSON.stringify(made)) as Document;
}

const verify = (json: unknown, atMs = GENESIS_MS) =>
  verifyVerifiableCredential(door.genesis, json, atMs);

async function refusalOf(json: unknown, atMs?: number): Promise<string | null> {
  try {
    await verify(json, atMs);
    return null;
  } catch (error) {
    if (error instanceof ClientError) return error.code;
    throw error;
  }
}

describe("a verifiable credential", () => {
  test("has W3C's form, opens the fields named, and names its parents by digest", () => {
    const did = `did:credlink:test-chain:${formatAddress(memberKeyOf("institution").address)}`;
    expect(document).toMatchObject({
      "@context": ["https://www.w3.org/ns/credentials/v2", expect.any(String)],
      id: `${did}/credentials/${toHex(door.invoice)}`,
      type: ["VerifiableCredential", "BillInvoiceCredential"],
      issuer: did,
      credentialSubject: {
        claims: {
          invoiceNumber: invoice.payload.invoiceNumber,
          total: { integer: String(invoice.payload.total) },
        },
      },
      credentialStatus: { type: "CredlinkStatusEntry", status: "active" },
      proof: {
        type: "DataIntegrityProof",
        cryptosuite: "sm2-sm3-jcs",
        proofPurpose: "assertionMethod",
        verificationMethod: expect.stringContaining(`${did}#key-`),
      },
    });
    expect(document.relatedResource).toHaveLength(invoice.record.parents.length);
    expect(JSON.stringify(document)).not.toContain(String(invoice.payload.sellerUscc));
  });

  test("verifies with the genesis alone, whatever the order of its properties", async () => {
    const turned = Object.fromEntries(Object.entries(document).reverse());
    const { report } = await verify(turned);
    expect(report.disclosures.map(({ path }) => path)).toEqual(["invoiceNumber", "total"]);
    expect(report.credentials).toHaveLength(1 + invoice.record.parents.length);
  });

  test("is signed by its issuer alone", async () => {
    for (const member of ["regulator", "otherInstitution"] as const) {
      await expect(
        exportVerifiableCredential(door.clientOf(member), { file: invoice, paths: [] }, GENESIS_MS),
      ).rejects.toMatchObject({ code: "CLIENT_KEY_MISSING" });
    }
  });
});

/** Every place of a JSON value: how to read it, and how to put another value there. */
function placesOf(
  value: unknown,
  put: (value: unknown) => unknown,
): [unknown, (v: unknown) => unknown][] {
  const own: [unknown, (v: unknown) => unknown][] = [[value, put]];
  if (Array.isArray(value)) {
    return own.concat(
      value.flatMap((item, at) => placesOf(item, (next) => put(value.toSpliced(at, 1, next)))),
    );
  }
  if (typeof value !== "object" || value === null) return own;
  return own.concat(
    Object.entries(value).flatMap(([name, item]) =>
      placesOf(item, (next) => put({ ...value, [name]: next })),
    ),
  );
}

describe("an altered one is refused", () => {
  test("wherever a value is changed, and whatever property is added or left out", async () => {
    const places = placesOf(document, (value) => value).slice(1);
    expect(places.length).toBeGreaterThan(50);
    await fc.assert(
      fc.asyncProperty(fc.nat(places.length - 1), fc.nat(10_000), async (number, at) => {
        const [value, put] = places[number] ?? [null, () => null];
        const text = typeof value === "string" ? value : JSON.stringify(value);
        const place = at % Math.max(1, text.length);
        const letter = text[place] === "a" ? "b" : "a";
        const altered = text.slice(0, place) + letter + text.slice(place + 1);
        expect(await refusalOf(put(altered))).not.toBeNull();
      }),
      { numRuns: 80 },
    );
    for (const name of Object.keys(document)) {
      const { [name]: _, ...rest } = document;
      expect(await refusalOf(rest), name).toMatch(/^CLIENT_VC_M/);
    }
    expect(await refusalOf({ ...document, name: "x" })).toBe("CLIENT_VC_MISMATCH");
    for (const json of [null, [], "x", {}, { ...document, evidence: [] }]) {
      expect(await refusalOf(json)).toBe("CLIENT_VC_MALFORMED");
    }
  });

  test.each([
    ["a number beyond a double", "1e999"],
    ["half of a surrogate pair", '"\\ud800"'],
    ["a depth that nothing has", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
  ])("with %s, which has no canonical form or not this one", async (_, json) => {
    const text = JSON.stringify(document);
    for (const name of ["issuer", "credentialSubject", "name"]) {
      const altered: unknown = { ...JSON.parse(text), [name]: JSON.parse(json) };
      expect(await refusalOf(altered), name).toMatch(/^CLIENT_VC_M/);
    }
  });

  test("whose fields were taken out with the proof of the others put right", async () => {
    const [evidence] = document.evidence as [{ lines: string[] }];
    const body = evidence.lines.slice(0, -1).filter((line) => !line.includes('"disclosure"'));
    let sum: Uint8Array = new Uint8Array(32);
    for (const line of body) sum = sm3(concatBytes(sum, utf8(`${line}\n`)));
    const end = JSON.stringify({ kind: "end", lines: body.length, digest: toHex(sum) });
    const subject = document.credentialSubject as Document;
    const altered = {
      ...document,
      evidence: [{ ...evidence, lines: [...body, end] }],
      credentialSubject: { ...subject, claims: {} },
    };
    // All of it is proven by the chain: only the issuer's signature tells.
    expect(await refusalOf(altered)).toBe("CLIENT_SIGNATURE_INVALID");
  });

  test("with the proof of another document", async () => {
    const { proof } = await make(["invoiceNumber"]);
    expect(await refusalOf({ ...document, proof })).toBe("CLIENT_SIGNATURE_INVALID");
  });

  test("outside its validity", async () => {
    expect(await refusalOf(document, invoice.record.validFromMs - 1)).toBe("CLIENT_VC_EXPIRED");
    expect(await refusalOf(document, invoice.record.validFromMs)).toBeNull();
  });

  test("once revoked there is none; the older one tells of its own height", async () => {
    const receipt = await door.chain.run({
      sender: memberKeyOf("institution"),
      method: "revoke",
      args: encode(revokeArgsCodec, {
        id: door.invoice,
        reason: digest(new Uint8Array(32).fill(1)),
      }),
    });
    expect(receipt.status).toBe("SUCCESS");
    await expect(make([])).rejects.toMatchObject({ code: "CLIENT_VC_INACTIVE" });
    const { report } = await verify(document);
    expect(report.head.height).toBeLessThan(door.chain.ledger.head.header.height);
  });
});
