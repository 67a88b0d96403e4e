import {
  type Client,
  ClientError,
  type ExportedPackage,
  exportDisclosure,
  exportEvidence,
  getCredential,
  MAX_PACKAGE_LINE_BYTES,
  traceUp,
  verifyPackage,
} from "@credlink/client";
import {
  type CredentialFile,
  proposeArgsCodec,
  recordDigest,
  revokeArgsCodec,
  signArgsCodec,
} from "@credlink/contracts";
import { sm3 } from "@credlink/crypto";
import {
  accountAddress,
  accountSignersCodec,
  createAccountArgsCodec,
  SUCCESS,
} from "@credlink/ledger";
import { compareBytes, concatBytes, digest, encode, toHex, utf8 } from "@credlink/primitives";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keyOf, memberKeyOf } from "../../../contracts/test/support/consortium.ts";
import { addValidator } from "../support/add-validator.ts";
import { type CredentialGateway, openCredentialGateway } from "../support/credential-gateway.ts";

let door: CredentialGateway;
let client: Client;
/** Of the invoice, all that it rests on. */
let whole: ExportedPackage;
/** Of one task, with one field opened, across a change of validators. */
let small: ExportedPackage;
let task: CredentialFile;

function fileOf(type: string): CredentialFile {
  const step = door.month.steps.find((each) => each.type === type && submitted.has(toHex(each.id)));
  const record = step?.record ?? null;
  if (step === undefined || record === null) throw new Error(`the month has a ${type}`);
  const { payload, salts, openings } = step;
  return { record, payload, salts, openings };
}

let submitted = new Set<string>();

beforeAll(async () => {
  const joiner = keyOf("second node");
  door = await openCredentialGateway([joiner]);
  client = door.clientOf("regulator");
  whole = await exportEvidence(client, door.invoice);
  submitted = new Set(whole.report.credentials.map(({ id }) => toHex(id)));
  await addValidator(door.chain, joiner, "second");
  task = fileOf("transaction.task");
  small = await exportEvidence(client, task.record.id, [{ file: task, paths: ["orderNumber"] }]);
});
afterAll(() => door?.close());

/** Puts the last line right, as a forger would. */
function reseal(lines: readonly string[]): readonly string[] {
  const body = lines.slice(0, -1);
  let sum: Uint8Array = new Uint8Array(32);
  for (const line of body) sum = sm3(concatBytes(sum, utf8(`${line}\n`)));
  return [...body, JSON.stringify({ kind: "end", lines: body.length, digest: toHex(sum) })];
}

async function refusalOf(lines: readonly string[]): Promise<ClientError | null> {
  try {
    await verifyPackage(door.genesis, lines);
    return null;
  } catch (error) {
    if (error instanceof ClientError) return error;
    throw error;
  }
}

const kindOf = (line: string): string => /^\{"kind":"(\w+)"/.exec(line)?.[1] ?? "";

describe("T-4.4: an evidence package", () => {
  test("proves the whole graph to somebody who has the genesis alone", async () => {
    const report = await verifyPackage(door.genesis, whole.lines);
    const steps = await traceUp(client, door.invoice);
    expect(report.credentials.map(({ id }) => toHex(id))).toEqual(
      steps.map(({ stored }) => toHex(stored.record.id)),
    );
    for (const { stored, transactions } of report.credentials) {
      expect(stored.standing.status).toBe("active");
      expect(transactions.some(({ height }) => height === stored.issue.height)).toBe(true);
    }
    const institution = toHex(memberKeyOf("institution").address);
    expect(report.members.map(({ address }) => toHex(address))).toContain(institution);
    expect(report.head.certificate?.signatures.length).toBe(1);
    expect(report.digest).toBe(whole.report.digest);
  });

  test("leads over a change of validators, whose list is named by the certified block before", async () => {
    const report = await verifyPackage(door.genesis, small.lines);
    expect(small.lines.filter((line) => kindOf(line) === "validators")).toHaveLength(1);
    expect(report.head.certificate?.signatures.length).toBe(2);
    expect(report.disclosures).toEqual([
      { credential: task.record.id, path: "orderNumber", value: task.payload.orderNumber },
    ]);
  });

  test("tells a status as of its height, with the transaction that gave it", async () => {
    const lone = [...door.month.steps].reverse().find(({ id }) => submitted.has(toHex(id)));
    const id = lone?.id ?? door.invoice;
    const before = await exportEvidence(client, id);
    const receipt = await door.chain.run({
      sender: memberKeyOf("regulator"),
      method: "revoke",
      args: encode(revokeArgsCodec, { id, reason: digest(new Uint8Array(32).fill(3)) }),
    });
    expect(receipt.status).toBe(SUCCESS);
    const after = await exportEvidence(client, id);
    const [old] = (await verifyPackage(door.genesis, before.lines)).credentials;
    const [revoked] = (await verifyPackage(door.genesis, after.lines)).credentials;
    expect([old?.stored.standing.status, revoked?.stored.standing.status]).toEqual([
      "active",
      "revoked",
    ]);
    expect(revoked?.transactions.length).toBe((old?.transactions.length ?? 0) + 1);
    expect(after.report.head.height).toBeGreaterThan(before.report.head.height);
    // Without it the package would hide who revoked it.
    const lines = reseal(after.lines.filter((_, at) => at !== lastOf(after.lines, "transaction")));
    expect((await refusalOf(lines))?.code).toBe("CLIENT_PACKAGE_INCOMPLETE");
  });

  test("T-4.5-1: holds every party's signature, though each came in a transaction of its own", async () => {
    const known = await chainIds();
    const step = door.month.steps.find(
      ({ method, coSigners, id, dependsOn }) =>
        method === "submit" &&
        coSigners.length > 0 &&
        !known.has(toHex(id)) &&
        dependsOn.every((on) => known.has(toHex(on))),
    );
    const record = step?.record ?? null;
    if (step === undefined || record === null) throw new Error("one more can be made");
    const { chain } = door;
    const untilMs = chain.ledger.head.header.timestampMs + 86_400_000;
    const args = encode(proposeArgsCodec, { record, untilMs, correction: null });
    await chain.run({ sender: memberKeyOf("institution"), method: "propose", args });
    for (const sender of step.coSigners) {
      const signed = encode(signArgsCodec, { id: record.id, digest: recordDigest(record) });
      expect((await chain.run({ sender, method: "sign", args: signed })).status).toBe(SUCCESS);
    }
    const { lines } = await exportEvidence(client, record.id);
    const [own] = (await verifyPackage(door.genesis, lines)).credentials;
    expect(own?.transactions.map(({ transaction }) => transaction.method)).toEqual([
      "propose",
      ...step.coSigners.map(() => "sign"),
    ]);
    // Without the first signature nothing shows that its party agreed.
    const first = lines.findIndex(
      (line) => kindOf(line) === "transaction" && line.includes(toHex(utf8("sign"))),
    );
    const refusal = await refusalOf(reseal(lines.toSpliced(first, 1)));
    expect(refusal?.code).toBe("CLIENT_PACKAGE_INCOMPLETE");
  });

  test("T-4.5-1: holds who signed for an account, and judges them by what held at its height", async () => {
    const step = door.month.steps.find(({ type }) => type === "identity.institution");
    const made = step?.record ?? null;
    if (step === undefined || made === null) throw new Error("an institution stands first");
    const { chain } = door;
    const [admin, one, two] = [
      memberKeyOf("admin"),
      memberKeyOf("institution"),
      memberKeyOf("otherInstitution"),
    ];
    const registry = { contract: "members", version: "1.0.0" };
    const signers = [one.address, two.address].sort(compareBytes);
    const nowMs = chain.ledger.head.header.timestampMs;
    const founding = {
      ...{ salt: new Uint8Array(16), threshold: 2, signers, role: "institution" as const },
      ...{ validFromMs: nowMs, validToMs: nowMs + 100 * 86_400_000 },
    };
    const created = await chain.run({
      ...{ ...registry, sender: admin, method: "createAccount" },
      args: encode(createAccountArgsCodec, founding),
    });
    expect(created.status).toBe(SUCCESS);
    const account = accountAddress(chain.ledger.genesisDigest, admin.address, founding);
    // An institution whose word takes two of its officers.
    const record = {
      ...{ ...made, id: new Uint8Array(32).fill(0x77), issuer: account, subjects: [account] },
      indexes: made.indexes.map((index, place) => ({
        ...index,
        value: new Uint8Array(32).fill(0x78 + place),
      })),
    };
    const untilMs = nowMs + 86_400_000;
    const proposed = await chain.run({
      ...{ sender: one, coSigners: [two], account, method: "propose" },
      args: encode(proposeArgsCodec, { record, untilMs, correction: null }),
    });
    expect(proposed.status).toBe(SUCCESS);
    for (const sender of step.coSigners) {
      const args = encode(signArgsCodec, { id: record.id, digest: recordDigest(record) });
      expect((await chain.run({ sender, method: "sign", args })).status).toBe(SUCCESS);
    }
    const changed = await chain.run({
      ...{ ...registry, sender: one, coSigners: [two], account, method: "setAccountSigners" },
      args: encode(accountSignersCodec, { threshold: 1, signers: [admin.address] }),
    });
    expect(changed.status).toBe(SUCCESS);

    const { lines } = await exportEvidence(client, record.id);
    const report = await verifyPackage(door.genesis, lines);
    const signed = report.credentials[0]?.transactions.map(({ signed: one }) => one.signatures);
    expect(signed?.[0]).toHaveLength(2);
    expect(report.members.map(({ address }) => toHex(address))).toContain(toHex(account));
    const at = lines.findIndex((line) => line.includes('"account":{'));
    const bare = lines.with(at, String(lines[at]).replace(/,"account":\{.*?\}/, ""));
    expect((await refusalOf(reseal(bare)))?.code).toBe("CLIENT_PACKAGE_INCOMPLETE");
    const signer = lines.findIndex((line) =>
      line.startsWith(`{"kind":"member","address":"${toHex(two.address)}`),
    );
    expect((await refusalOf(reseal(lines.toSpliced(signer, 1))))?.code).toBe(
      "CLIENT_PACKAGE_INCOMPLETE",
    );
  });

  test("of a node whose index hides a transaction is not made", async () => {
    const liar = door.clientOf("regulator", async (url, init) => {
      const response = await fetch(url, init);
      if (!String(init.body).includes("credential.history")) return response;
      const answer = (await response.json()) as { result: { events: unknown[] } };
      return Response.json({ ...answer, result: { ...answer.result, events: [] } });
    });
    await expect(exportEvidence(liar, task.record.id)).rejects.toMatchObject({
      code: "CLIENT_PACKAGE_INCOMPLETE",
    });
  });
});

/** Ids of the month's credentials that are on chain. */
async function chainIds(): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const { id } of door.month.steps) {
    if ((await getCredential(client, id)) !== null) found.add(toHex(id));
  }
  return found;
}

function lastOf(lines: readonly string[], kind: string): number {
  return lines.findLastIndex((line) => kindOf(line) === kind);
}

describe("T-4.4: an altered package is refused, and says where", () => {
  test("whatever byte is flipped", async () => {
    const text = `${small.lines.join("\n")}\n`;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: text.length - 1 }),
        fc.integer({ min: 0, max: 6 }),
        async (place, bit) => {
          const bytes = utf8(text);
          bytes[place] = (bytes[place] ?? 0) ^ (1 << bit);
          const altered = new TextDecoder().decode(bytes).replace(/\n$/, "").split("\n");
          const refusal = await refusalOf(altered);
          expect(refusal?.details.line).toBeGreaterThan(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("whatever digit is changed, though the last line is put right", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: small.lines.length - 2 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.integer({ min: 1, max: 15 }),
        async (number, share, change) => {
          const line = small.lines[number] ?? "";
          const digits = [...line.matchAll(/[0-9a-f](?=[0-9a-f]*")/g)];
          const digit = digits[Math.floor(share * digits.length)];
          fc.pre(digit !== undefined);
          const at = digit?.index ?? 0;
          const other = (Number.parseInt(line[at] ?? "0", 16) ^ change).toString(16);
          const altered = line.slice(0, at) + other + line.slice(at + 1);
          const lines = small.lines.map((each, place) => (place === number ? altered : each));
          const refusal = await refusalOf(reseal(lines));
          expect(refusal, `${kindOf(line)} at ${at}`).not.toBeNull();
          expect(refusal?.details.line).toBeGreaterThan(0);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("whatever line is left out, doubled, moved or taken from another package", async () => {
    const { lines } = small;
    const other = whole.lines;
    const last = lines.length - 1;
    const without = (at: number) => lines.filter((_, place) => place !== at);
    const cases: [string, readonly string[]][] = [];
    for (let at = 0; at < last; at += 1) {
      const kind = kindOf(lines[at] ?? "");
      // A disclosure less is another, smaller package that proves what it holds.
      if (kind !== "disclosure") cases.push([`${kind} ${at} left out`, without(at)]);
      cases.push([`${kind} ${at} doubled`, lines.toSpliced(at, 0, lines[at] ?? "")]);
      const swapped = lines.toSpliced(at, 2, lines[at + 1] ?? "", lines[at] ?? "");
      if (at + 1 < last) cases.push([`${kind} ${at} moved`, swapped]);
      const stranger = other.find((line) => kindOf(line) === kind && !lines.includes(line));
      if (stranger !== undefined) {
        cases.push([`${kind} ${at} exchanged`, lines.toSpliced(at, 1, stranger)]);
        cases.push([`${kind} ${at} added`, lines.toSpliced(at + 1, 0, stranger)]);
      }
    }
    for (const [name, altered] of cases) {
      expect(await refusalOf(reseal(altered)), name).not.toBeNull();
    }
    expect(await refusalOf(reseal(without(lastOf(lines, "disclosure"))))).toBeNull();
  });

  test.each<[string, string, (lines: readonly string[]) => readonly string[]]>([
    ["cut off", "CLIENT_PACKAGE_INCOMPLETE", (lines) => lines.slice(0, -1)],
    ["empty", "CLIENT_PACKAGE_INCOMPLETE", () => []],
    ["not JSON", "CLIENT_PACKAGE_MALFORMED", (lines) => ["{", ...lines.slice(1)]],
    ["with blanks", "CLIENT_PACKAGE_MALFORMED", ([first = "", ...rest]) => [`${first} `, ...rest]],
    ["continued", "CLIENT_PACKAGE_MALFORMED", (lines) => [...lines, ...lines]],
    [
      "of a newer format",
      "CLIENT_PACKAGE_MALFORMED",
      ([first = "", ...rest]) => [first.replace("package/1", "package/2"), ...rest],
    ],
    [
      "of another chain",
      "CLIENT_GENESIS_MISMATCH",
      ([first = "", ...rest]) => [first.replace("test-chain", "test-chair"), ...rest],
    ],
    [
      "not sealed",
      "CLIENT_PACKAGE_DIGEST",
      (lines) => [
        ...lines.slice(0, -1),
        (lines.at(-1) ?? "").replace(/[0-9a-f]{64}/, "0".repeat(64)),
      ],
    ],
  ])("%s: %s", async (_, code, change) => {
    expect((await refusalOf(change(small.lines)))?.code).toBe(code);
  });

  test("whose line is one byte longer than a line may be", async () => {
    const [first = ""] = small.lines;
    const head = '{"kind":"header","height":10,"header":"';
    const tail = '","certificate":""}';
    const filled = (length: number) => head + "0".repeat(length - head.length - tail.length) + tail;
    const longest = await refusalOf([first, filled(MAX_PACKAGE_LINE_BYTES)]);
    expect(longest?.code).toBe("CLIENT_RECORD_ALTERED");
    const longer = await refusalOf([first, filled(MAX_PACKAGE_LINE_BYTES + 1)]);
    expect([longer?.code, longer?.message]).toEqual([
      "CLIENT_PACKAGE_MALFORMED",
      "line 2: it is too long",
    ]);
  });

  test("against another genesis", async () => {
    await expect(verifyPackage(Uint8Array.of(1), small.lines)).rejects.toMatchObject({
      code: "CLIENT_GENESIS_MISMATCH",
    });
  });
});

describe("T-4.6.1: a disclosure", () => {
  test("opens the fields that it names, and no other", async () => {
    const { lines } = await exportDisclosure(client, { file: task, paths: ["placedAt", "scene"] });
    const report = await verifyPackage(door.genesis, lines);
    expect(report.disclosures.map(({ path, value }) => [path, value])).toEqual([
      ["placedAt", task.payload.placedAt],
      ["scene", task.payload.scene],
    ]);
    expect(report.credentials).toHaveLength(1);
    const text = lines.join("\n");
    expect(text).not.toContain(toHex(utf8(String(task.payload.orderNumber))));
    expect(text).toContain(toHex(utf8(String(task.payload.scene))));
  });

  test("of a field that another credential holds is refused", async () => {
    const service = fileOf("contract.service");
    const [own, foreign] = await Promise.all([
      exportDisclosure(client, { file: task, paths: ["scene"] }),
      exportDisclosure(client, { file: service, paths: ["scene"] }),
    ]);
    const at = lastOf(own.lines, "disclosure");
    const theirs = (foreign.lines[lastOf(foreign.lines, "disclosure")] ?? "").replace(
      toHex(service.record.id),
      toHex(task.record.id),
    );
    const refusal = await refusalOf(reseal(own.lines.toSpliced(at, 1, theirs)));
    expect([refusal?.code, refusal?.details.line]).toEqual(["CLIENT_DISCLOSURE_INVALID", at + 1]);
    await expect(
      exportDisclosure(client, { file: task, paths: ["reviewer"] }),
    ).rejects.toMatchObject({ code: "CONTRACTS_FIELD_ABSENT" });
  });
});
