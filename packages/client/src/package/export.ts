import { MAX_CREDENTIAL_PAGE, MAX_STATE_ENTRIES, type MethodResult } from "@credlink/api";
import {
  CREDENTIAL_CONTRACT,
  type CredentialFile,
  credentialKey,
  discloseField,
  fieldDisclosureCodec,
  type PayloadSchema,
  payloadSchemas,
  type StoredCredential,
  schemaFieldsKey,
  schemaKey,
  storedCredentialCodec,
} from "@credlink/contracts";
import {
  accountKey,
  endorsementsOf,
  envelopeCodec,
  isAccount,
  MEMBERS_CONTRACT,
  memberCodec,
  memberKey,
} from "@credlink/ledger";
import {
  type Address,
  compareBytes,
  encode,
  equalBytes,
  fromHex,
  toHex,
} from "@credlink/primitives";
import type { Client } from "../client.ts";
import { traceUp } from "../credentials.ts";
import { clientError } from "../errors.ts";
import { decodeClaim, type HeaderClaim } from "../header-claims.ts";
import { readSchemaVersion } from "../schemas.ts";
import type { ValidatorsLink } from "../trusted-lists.ts";
import { type Line, LineDigest, PACKAGE_FORMAT, printLine } from "./lines.ts";
import { createPackageVerifier, MAX_PACKAGE_CREDENTIALS, type PackageReport } from "./verify.ts";

/** Fields of a credential's payload that a package opens. */
export interface Opening {
  /** The original, whose salts open the fields. */
  readonly file: CredentialFile;
  /** Paths of the fields; absent: all that the payload has. */
  readonly paths?: readonly string[];
}

/** A package as text, and what it proves. */
export interface ExportedPackage {
  /** Lines without their line feeds. */
  readonly lines: readonly string[];
  readonly report: PackageReport;
}

/** How often an export begins anew because the chain went on in between. */
const ATTEMPTS = 5;

type Committed = Extract<MethodResult<"transaction.get">, { status: "committed" }>;
type State = MethodResult<"state.getMany">;

/**
 * Everything that proves a credential and all that it rests on: the way from genesis to the
 * validators, records under one certified head, the transactions that made them with their signers,
 * and fields that are opened. The package is verified as a stranger would before it is returned.
 *
 * @throws ClientError CLIENT_CREDENTIAL_UNKNOWN, CLIENT_GRAPH_TOO_LARGE, CLIENT_PACKAGE_INCOMPLETE
 *   when the node's index leaves something out, and what proofs throw; ContractsError
 *   CONTRACTS_FIELD_ABSENT
 */
export async function exportEvidence(
  client: Client,
  id: Uint8Array,
  openings: readonly Opening[] = [],
): Promise<ExportedPackage> {
  const steps = await traceUp(client, id);
  const ids = steps.map(({ stored }) => stored.record.id);
  if (ids.length > MAX_PACKAGE_CREDENTIALS) {
    throw clientError("CLIENT_GRAPH_TOO_LARGE", `${ids.length} credentials`);
  }
  for (let attempt = 1; ; attempt += 1) {
    const transactions = await transactionsOf(client, ids);
    const { signers, accounts } = signersOf(transactions);
    const schemas = schemasOf(openings);
    const state = await readState(client, { ids, schemas, signers, accounts });
    // What changed a status between the two reads is in the state and not among the transactions.
    if (attempt < ATTEMPTS && !isCovered(ids, state, transactions)) continue;
    return assemble(
      client,
      id,
      { ids, schemas, signers, accounts, state, transactions, openings },
      "evidence",
    );
  }
}

/**
 * Some fields of one credential, and what proves them to somebody who has the genesis alone.
 * @throws ClientError CLIENT_CREDENTIAL_UNKNOWN, …; ContractsError CONTRACTS_FIELD_ABSENT
 */
export async function exportDisclosure(client: Client, opening: Opening): Promise<ExportedPackage> {
  const { id } = opening.file.record;
  const schemas = schemasOf([opening]);
  const read = { ids: [id], schemas, signers: [], accounts: [] };
  const parts = {
    ...read,
    state: await readState(client, read),
    transactions: [],
    openings: [opening],
  };
  return assemble(client, id, parts, "disclosure");
}

/**
 * One credential with its parents and its issuer under one head, and fields that are opened.
 * @throws ClientError CLIENT_CREDENTIAL_UNKNOWN, …; ContractsError CONTRACTS_FIELD_ABSENT
 */
export async function exportCredential(client: Client, opening: Opening): Promise<ExportedPackage> {
  const { id, issuer, parents } = opening.file.record;
  const ids = [id, ...parents.map((parent) => parent.id)];
  const schemas = schemasOf([opening]);
  const read = { ids, schemas, signers: [issuer], accounts: [issuer] };
  const parts = {
    ...read,
    state: await readState(client, read),
    transactions: [],
    openings: [opening],
  };
  return assemble(client, id, parts, "credential");
}

/** Transactions whose events name one of the credentials, by the node's index, ascending. */
async function transactionsOf(
  client: Client,
  ids: readonly Uint8Array[],
): Promise<readonly Committed[]> {
  const found = new Map<string, Committed>();
  for (const id of ids) {
    for (const transaction of await historyOf(client, toHex(id))) {
      if (found.has(transaction)) continue;
      const outcome = await client.call("transaction.get", { id: transaction });
      if (outcome.status === "committed") found.set(transaction, outcome);
    }
  }
  return [...found.values()].sort((a, b) => a.height - b.height || a.index - b.index);
}

async function historyOf(client: Client, id: string): Promise<readonly string[]> {
  const transactions: string[] = [];
  let after: string | null | undefined;
  while (after !== null) {
    const asked = { id, limit: MAX_CREDENTIAL_PAGE };
    const page = await client.call(
      "credential.history",
      after === undefined ? asked : { ...asked, after },
    );
    transactions.push(...page.events.map((event) => event.transaction));
    after = page.next;
  }
  return transactions;
}

/** Who signed, ascending, and for which accounts. */
function signersOf(transactions: readonly Committed[]): Pick<Named, "signers" | "accounts"> {
  const signers = new Map<string, Address>();
  const accounts = new Map<string, Address>();
  for (const { transaction } of transactions) {
    const bytes = fromHex(transaction);
    const signed = decodeClaim(envelopeCodec, bytes, "signed transaction");
    for (const { address, signer } of endorsementsOf(signed)) {
      signers.set(toHex(address), address).set(toHex(signer), signer);
      if (!equalBytes(address, signer)) accounts.set(toHex(address), address);
    }
  }
  return {
    signers: [...signers.values()].sort(compareBytes),
    accounts: [...accounts.values()],
  };
}

/** Registered schema versions that fields are opened under, ascending. */
function schemasOf(openings: readonly Opening[]): readonly string[] {
  const names = openings
    .map(({ file: { record } }) => record)
    .filter(({ type, schema }) => payloadSchemas[type].id !== schema)
    .map(({ schema }) => schema);
  return [...new Set(names)].sort();
}

/**
 * Records, schema versions, signers and the versions' fields under one head, each there; last, who
 * signs for those signers that are accounts.
 */
async function readState(
  client: Client,
  { ids, schemas, signers, accounts }: Named,
): Promise<State> {
  const own = (key: Uint8Array) => ({ contract: CREDENTIAL_CONTRACT, key: toHex(key) });
  const entries = [
    ...ids.map((id) => own(credentialKey(id))),
    ...schemas.map((schema) => own(schemaKey(schema))),
    ...signers.map((one) => ({ contract: MEMBERS_CONTRACT, key: toHex(memberKey(one)) })),
    ...schemas.map((schema) => own(schemaFieldsKey(schema))),
    ...accounts.map((one) => ({ contract: MEMBERS_CONTRACT, key: toHex(accountKey(one)) })),
  ];
  if (entries.length > MAX_STATE_ENTRIES) {
    const detail = `${ids.length} credentials and ${signers.length} signers`;
    throw clientError("CLIENT_GRAPH_TOO_LARGE", detail);
  }
  const state = await client.call("state.getMany", { entries });
  const required = state.entries.slice(0, entries.length - accounts.length);
  const absent = required.findIndex(({ value }) => value === null);
  const schema = schemas[absent - ids.length];
  if (schema !== undefined) throw clientError("CLIENT_SCHEMA_UNKNOWN", schema);
  if (absent >= 0) {
    throw clientError(
      "CLIENT_CREDENTIAL_UNKNOWN",
      toHex(ids[absent] ?? ids[0] ?? new Uint8Array()),
    );
  }
  return state;
}

function isCovered(
  ids: readonly Uint8Array[],
  { entries }: State,
  transactions: readonly Committed[],
): boolean {
  const heights = new Set(transactions.map(({ height }) => height));
  return ids.every((_, place) => {
    const value = fromHex(entries[place]?.value ?? "");
    const stored: StoredCredential = decodeClaim(storedCredentialCodec, value, "credential");
    return heights.has(stored.standing.height);
  });
}

/** What a package holds records of. */
interface Named {
  readonly ids: readonly Uint8Array[];
  readonly schemas: readonly string[];
  readonly signers: readonly Address[];
  /** Signers that are accounts, or may be. */
  readonly accounts: readonly Address[];
}

interface Parts extends Named {
  readonly state: State;
  readonly transactions: readonly Committed[];
  readonly openings: readonly Opening[];
}

async function assemble(
  client: Client,
  id: Uint8Array,
  parts: Parts,
  purpose: Line<"package">["purpose"],
): Promise<ExportedPackage> {
  const { ids, schemas, signers, accounts, state, transactions, openings } = parts;
  const headers = await provenHeaders(client, state.header, transactions);
  const digest = new LineDigest();
  const verifier = createPackageVerifier(client.genesisBytes);
  const lines: string[] = [];
  const add = (line: Line): void => {
    const text = printLine(line);
    verifier.push(text);
    digest.add(text);
    lines.push(text);
  };
  add({
    kind: "package",
    format: PACKAGE_FORMAT,
    purpose,
    chainId: client.genesis.chainId,
    genesisDigest: toHex(client.genesisDigest),
    credential: toHex(id),
  });
  for (const link of client.validatorsLinks) {
    if (link.claim.height < state.header.height) add(validatorsLine(link));
  }
  for (const { height, header, certificate } of headers) {
    add({ kind: "header", height, header, certificate });
  }
  const entry = (place: number) => {
    const { value, proof } = state.entries[place] ?? { value: null, proof: "" };
    return { value: value ?? "", proof };
  };
  for (const [place, one] of ids.entries()) {
    add({ kind: "credential", id: toHex(one), ...entry(place) });
  }
  const versions = new Map<string, PayloadSchema>();
  for (const [place, schema] of schemas.entries()) {
    const { value, proof } = entry(ids.length + place);
    const { value: fields } = entry(ids.length + schemas.length + signers.length + place);
    add({ kind: "schema", schema, value, proof, fields });
    versions.set(schema, readSchemaVersion(schema, fromHex(value), fromHex(fields)).schema);
  }
  for (const [place, one] of signers.entries()) {
    const own = entry(ids.length + schemas.length + place);
    const after = ids.length + 2 * schemas.length + signers.length;
    const account = entry(after + accounts.findIndex((each) => equalBytes(each, one)));
    const member = decodeClaim(memberCodec, fromHex(own.value), "member");
    const line = { kind: "member", address: toHex(one), ...own } as const;
    add(isAccount(member) ? { ...line, account } : line);
  }
  for (const { height, index, transaction, receipt, ...proofs } of transactions) {
    const { transactionProof, receiptProof } = proofs;
    const line = { height, index, transaction, receipt, transactionProof, receiptProof };
    add({ kind: "transaction", ...line });
  }
  for (const opening of openings) {
    for (const line of disclosureLines(opening, versions)) add(line);
  }
  add({ kind: "end", lines: lines.length, digest: digest.hex });
  return { lines, report: verifier.finish() };
}

/** The head first, then the blocks of the transactions, ascending; each proven. */
async function provenHeaders(
  client: Client,
  head: HeaderClaim,
  transactions: readonly Committed[],
): Promise<readonly HeaderClaim[]> {
  const claims = new Map(transactions.map(({ height, header }) => [height, header] as const));
  claims.delete(head.height);
  const headers = [head, ...[...claims.values()].sort((a, b) => a.height - b.height)];
  for (const claim of headers) await client.proveHeader(claim);
  return headers;
}

function validatorsLine({ claim, validators }: ValidatorsLink): Line<"validators"> {
  const { height, header, certificate } = claim;
  const next = validators.map(({ nodeId, publicKey, peerId }) => {
    return { nodeId, publicKey: toHex(publicKey), peerId };
  });
  return { kind: "validators", height, header, certificate, next };
}

/** @throws ContractsError CONTRACTS_FIELD_ABSENT */
function disclosureLines(
  { file, paths }: Opening,
  versions: ReadonlyMap<string, PayloadSchema>,
): readonly Line<"disclosure">[] {
  const { record, payload, salts } = file;
  const schema = versions.get(record.schema) ?? payloadSchemas[record.type];
  const opened = paths ?? Object.keys(payload);
  return opened.map((path) => ({
    kind: "disclosure",
    credential: toHex(record.id),
    field: toHex(encode(fieldDisclosureCodec, discloseField(schema, payload, salts, path))),
  }));
}
