import {
  CREDENTIAL_CONTRACT,
  credentialKey,
  fieldDisclosureCodec,
  type PayloadSchema,
  payloadSchemas,
  type RegisteredSchema,
  type StoredCredential,
  schemaKey,
  storedCredentialCodec,
  verifyDisclosure,
} from "@credlink/contracts";
import {
  accountCodec,
  accountKey,
  headerCodec,
  headerDigest,
  isAccount,
  MEMBERS_CONTRACT,
  type Member,
  memberCodec,
  memberKey,
  stateProofCodec,
  verifyStateProof,
} from "@credlink/ledger";
import { type Digest, equalBytes, fromHex, toHex, type WireValue } from "@credlink/primitives";
import { ClientError, clientError } from "../errors.ts";
import { checkHeader, decodeClaim, readGenesis, type VerifiedHeader } from "../header-claims.ts";
import { readSchemaVersion } from "../schemas.ts";
import { TrustedLists } from "../trusted-lists.ts";
import {
  type Line,
  LineDigest,
  type LineKind,
  MAX_PACKAGE_BYTES,
  MAX_PACKAGE_LINES,
  packageError,
  parseLine,
  rankOf,
} from "./lines.ts";
import {
  missingOf,
  type PackageMember,
  type PackageTransaction,
  verifyTransactionLine,
} from "./verify-transaction.ts";

/** Most credentials of one package; the contract's own walk ends there too. */
export const MAX_PACKAGE_CREDENTIALS = 1_024;

/** One credential of a verified package. */
export interface PackageCredential {
  readonly id: Uint8Array;
  /** As the state under the package's head keeps it. */
  readonly stored: StoredCredential;
  /** Transactions that named it, ascending; of a disclosure none. */
  readonly transactions: readonly PackageTransaction[];
}

/** A schema version of a verified package: as the registry under the head has it. */
export interface PackageSchema extends RegisteredSchema {
  readonly id: string;
  readonly schema: PayloadSchema;
}

/** What a package proves. */
export interface PackageReport {
  readonly purpose: Line<"package">["purpose"];
  readonly chainId: string;
  readonly genesisDigest: Digest;
  /** The block under whose state everything stands: a status is as of its height. */
  readonly head: VerifiedHeader;
  /** The one that the package is about comes first. */
  readonly credentials: readonly PackageCredential[];
  /** Registered versions that it needs; version 1.0 of each type is known without. */
  readonly schemas: readonly PackageSchema[];
  /** Signers of the transactions. */
  readonly members: readonly Member[];
  readonly disclosures: readonly {
    readonly credential: Uint8Array;
    readonly path: string;
    readonly value: WireValue;
  }[];
  readonly lines: number;
  /** Digest of the package: what an arbitration case names. */
  readonly digest: string;
}

/** Takes a package line by line. Every line is judged when it comes. */
export interface PackageVerifier {
  /** @param text one line without its line feed. @throws ClientError with `details.line` */
  push(text: string): void;
  /** @throws ClientError CLIENT_PACKAGE_INCOMPLETE when the last line has not come. */
  finish(): PackageReport;
}

/** A verifier that trusts `genesis` and nothing else. @throws ClientError CLIENT_GENESIS_MISMATCH */
export function createPackageVerifier(genesis: Uint8Array): PackageVerifier {
  return new Verifier(genesis);
}

/**
 * Verifies a whole package.
 * @throws ClientError whose `details.line` names the line; CLIENT_GENESIS_MISMATCH
 */
export async function verifyPackage(
  genesis: Uint8Array,
  lines: Iterable<string> | AsyncIterable<string>,
): Promise<PackageReport> {
  const verifier = createPackageVerifier(genesis);
  for await (const line of lines) verifier.push(line);
  return verifier.finish();
}

class Verifier implements PackageVerifier {
  readonly #chain: { readonly chainId: string; readonly genesisDigest: Digest };
  readonly #lists: TrustedLists;
  readonly #digest = new LineDigest();
  readonly #headers = new Map<number, VerifiedHeader>();
  readonly #credentials = new Map<string, StoredCredential>();
  readonly #schemas = new Map<string, PackageSchema>();
  readonly #members = new Map<string, PackageMember>();
  readonly #transactions: PackageTransaction[] = [];
  readonly #disclosures: PackageReport["disclosures"][number][] = [];
  /** Headers, schemas and members that something was proven with, and fields that were opened. */
  readonly #used = new Set<number | string>();
  /** Ids of credentials that must follow, in this order. */
  readonly #due: string[] = [];
  readonly #seen = new Set<string>();
  #opening: Line<"package"> | null = null;
  #head: VerifiedHeader | null = null;
  #last: LineKind = "package";
  #lastKey = "";
  #lines = 0;
  #bytes = 0;
  #report: PackageReport | null = null;

  constructor(genesis: Uint8Array) {
    const read = readGenesis(genesis);
    this.#chain = { chainId: read.genesis.chainId, genesisDigest: read.digest };
    this.#lists = new TrustedLists(read.genesis.validators);
  }

  push(text: string): void {
    const number = this.#lines + 1;
    try {
      this.#take(text, number);
    } catch (error) {
      if (!(error instanceof ClientError) || error.details.line !== undefined) throw error;
      throw packageError(error.code, number, error.message, error);
    }
    this.#lines = number;
    this.#digest.add(text);
  }

  #take(text: string, number: number): void {
    this.#bytes += text.length + 1;
    if (this.#report !== null) throw malformed("something follows the last line");
    if (this.#bytes > MAX_PACKAGE_BYTES || number > MAX_PACKAGE_LINES) {
      throw malformed("the package is too large");
    }
    const line = parseLine(text, number);
    this.#demandOrder(line);
    this.#judge(line);
    this.#last = line.kind;
  }

  /** Kinds follow each other in their order, and within one kind lines ascend. */
  #demandOrder(line: Line): void {
    const isFirst = this.#opening === null;
    if (isFirst !== (line.kind === "package") || rankOf(line.kind) < rankOf(this.#last)) {
      throw malformed(`a line "${line.kind}" does not stand here`);
    }
    if (rankOf(line.kind) > rankOf("header") && this.#head === null) {
      throw incomplete("no header before what it proves");
    }
    if (rankOf(line.kind) > rankOf("credential") && this.#due.length > 0) {
      throw incomplete(`credential ${this.#due[0]} is missing`);
    }
    if (!isFirst && !isOf(this.#opening?.purpose, line.kind)) {
      throw incomplete(`a ${this.#opening?.purpose} has no line "${line.kind}"`);
    }
    if (line.kind !== this.#last) this.#lastKey = "";
    const key = keyOf(line, this.#head !== null);
    if (key === null) return;
    if (key <= this.#lastKey) throw malformed("lines of one kind must ascend");
    this.#lastKey = key;
  }

  #judge(line: Line): void {
    switch (line.kind) {
      case "package":
        this.#onPackage(line);
        break;
      case "validators":
        this.#onValidators(line);
        break;
      case "header":
        this.#onHeader(line);
        break;
      case "credential":
        this.#onCredential(line);
        break;
      case "schema":
        this.#onSchema(line);
        break;
      case "member":
        this.#onMember(line);
        break;
      case "transaction":
        this.#onTransaction(line);
        break;
      case "disclosure":
        this.#onDisclosure(line);
        break;
      case "end":
        this.#onEnd(line);
        break;
    }
  }

  #onPackage(line: Line<"package">): void {
    const { chainId, genesisDigest } = this.#chain;
    if (line.chainId !== chainId || line.genesisDigest !== toHex(genesisDigest)) {
      throw clientError("CLIENT_GENESIS_MISMATCH", "the package is of another chain");
    }
    this.#opening = line;
    this.#expect(line.credential);
  }

  #expect(id: string): void {
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    this.#due.push(id);
    if (this.#seen.size > MAX_PACKAGE_CREDENTIALS) throw malformed("too many credentials");
  }

  #certified(line: Line<"validators" | "header">): VerifiedHeader {
    const header = decodeClaim(headerCodec, fromHex(line.header), "header");
    const set = this.#lists.find(line.height, header.validatorsHash);
    if (set === null) {
      const detail = `nothing leads to the validators of block ${line.height}`;
      throw clientError("CLIENT_VALIDATORS_UNKNOWN", detail);
    }
    const digest = toHex(headerDigest(header));
    return checkHeader({ ...line, digest }, set, this.#chain);
  }

  #onValidators(line: Line<"validators">): void {
    const last = this.#certified(line);
    if (equalBytes(last.header.validatorsHash, last.header.nextValidatorsHash)) {
      throw incomplete(`the validators do not change after block ${line.height}`);
    }
    const validators = line.next.map((each) => ({ ...each, publicKey: fromHex(each.publicKey) }));
    const claim = { ...line, digest: toHex(last.digest) };
    this.#lists.extend(claim, last, validators);
  }

  #onHeader(line: Line<"header">): void {
    const header = this.#certified(line);
    if (this.#head === null) {
      this.#head = header;
      this.#used.add(line.height);
    } else if (line.height >= this.#head.height) {
      throw malformed("a header is not below the first");
    }
    this.#headers.set(line.height, header);
  }

  /** @throws ClientError CLIENT_PROOF_INVALID */
  #demandState(contract: string, key: Uint8Array, value: Uint8Array, proof: string): void {
    const root = this.#head?.header.stateRoot;
    const read = decodeClaim(stateProofCodec, fromHex(proof), "state proof");
    if (root === undefined || !verifyStateProof({ root, contract, key, value, proof: read }).ok) {
      throw clientError("CLIENT_PROOF_INVALID", "the proof misses the state root");
    }
  }

  #onCredential(line: Line<"credential">): void {
    const due = this.#due.shift();
    if (due !== line.id) throw incomplete(`credential ${due ?? "none"} is due here`);
    const id = fromHex(line.id);
    const value = fromHex(line.value);
    this.#demandState(CREDENTIAL_CONTRACT, credentialKey(id), value, line.proof);
    const stored = decodeClaim(storedCredentialCodec, value, "credential");
    if (!equalBytes(stored.record.id, id)) throw incomplete("the record is another's");
    this.#credentials.set(line.id, stored);
    const { purpose, credential } = this.#opening ?? {};
    const goesUp = purpose === "evidence" || (purpose === "credential" && line.id === credential);
    if (!goesUp) return;
    if (purpose === "credential") this.#used.add(toHex(stored.record.issuer));
    for (const parent of stored.record.parents) this.#expect(toHex(parent.id));
  }

  #onSchema(line: Line<"schema">): void {
    const value = fromHex(line.value);
    this.#demandState(CREDENTIAL_CONTRACT, schemaKey(line.schema), value, line.proof);
    const { head, schema } = readSchemaVersion(line.schema, value, fromHex(line.fields));
    this.#schemas.set(line.schema, { id: line.schema, ...head, schema });
  }

  /** The version that a record names, which is part of the contract or stands in the package. */
  #schemaOf({ type, schema }: StoredCredential["record"]): PayloadSchema {
    const builtIn = payloadSchemas[type];
    if (builtIn.id === schema) return builtIn;
    const found = this.#schemas.get(schema);
    if (found === undefined || found.schema.type !== type) {
      throw incomplete(`no schema ${schema}`);
    }
    this.#used.add(schema);
    return found.schema;
  }

  #onMember(line: Line<"member">): void {
    const value = fromHex(line.value);
    const member = decodeClaim(memberCodec, value, "member");
    if (toHex(member.address) !== line.address) throw incomplete("the member is another");
    this.#demandState(MEMBERS_CONTRACT, memberKey(member.address), value, line.proof);
    const { account } = line;
    if (isAccount(member) !== (account !== undefined)) throw incomplete("who signs for an account");
    if (account === undefined) {
      this.#members.set(line.address, { member, account: null });
      return;
    }
    const bytes = fromHex(account.value);
    this.#demandState(MEMBERS_CONTRACT, accountKey(member.address), bytes, account.proof);
    this.#members.set(line.address, {
      member,
      account: decodeClaim(accountCodec, bytes, "account"),
    });
  }

  #onTransaction(line: Line<"transaction">): void {
    const block = this.#headers.get(line.height);
    if (block === undefined) throw incomplete(`no header of block ${line.height}`);
    const found = verifyTransactionLine(line, block, this.#chain, (address) => {
      this.#used.add(address);
      return this.#members.get(address);
    });
    if (![...found.names.keys()].some((name) => this.#credentials.has(name))) {
      throw incomplete("the transaction names no credential of the package");
    }
    this.#used.add(line.height);
    this.#transactions.push(found);
  }

  #onDisclosure(line: Line<"disclosure">): void {
    const stored = this.#credentials.get(line.credential);
    if (stored === undefined) throw incomplete("the field is of no credential of the package");
    const field = decodeClaim(fieldDisclosureCodec, fromHex(line.field), "field");
    const schema = this.#schemaOf(stored.record);
    if (!verifyDisclosure(schema, field, stored.record.commitment).ok) {
      throw clientError("CLIENT_DISCLOSURE_INVALID", `${field.path} of ${line.credential}`);
    }
    const { path, value } = field;
    const place = `${line.credential} ${path}`;
    if (this.#used.has(place)) throw incomplete(`${path} is opened twice`);
    this.#used.add(place);
    this.#disclosures.push({ credential: fromHex(line.credential), path, value });
  }

  #onEnd(line: Line<"end">): void {
    if (line.lines !== this.#lines || line.digest !== this.#digest.hex) {
      throw clientError("CLIENT_PACKAGE_DIGEST", "the lines before are others");
    }
    const opening = this.#opening;
    const head = this.#head;
    if (opening === null || head === null) throw incomplete("the package proves nothing");
    if (opening.purpose === "credential") this.#demandIssuer(opening);
    const all = [this.#headers, this.#schemas, this.#members].flatMap((map) => [...map.keys()]);
    const idle = all.find((key) => !this.#used.has(key));
    if (idle !== undefined) throw incomplete(`nothing needs ${idle}`);
    if (opening.purpose === "disclosure" && this.#disclosures.length === 0) {
      throw incomplete("a disclosure without a field");
    }
    this.#report = {
      ...{ purpose: opening.purpose, ...this.#chain, head },
      credentials: this.#gather(opening),
      schemas: [...this.#schemas.values()],
      members: [...this.#members.values()].map(({ member }) => member),
      disclosures: this.#disclosures,
      ...{ lines: line.lines, digest: line.digest },
    };
  }

  /** A credential for its holder names its issuer and its schema by their records. */
  #demandIssuer({ credential }: Line<"package">): void {
    const record = this.#credentials.get(credential)?.record;
    if (record === undefined) return;
    if (!this.#members.has(toHex(record.issuer))) throw incomplete("no record of the issuer");
    this.#schemaOf(record);
  }

  #gather({ purpose }: Line<"package">): readonly PackageCredential[] {
    return [...this.#credentials].map(([name, stored]) => {
      const transactions = this.#transactions.filter(({ names }) => names.has(name));
      const { record, issue, standing } = stored;
      const missing =
        purpose !== "evidence"
          ? null
          : missingOf(
              {
                ...{ record, issuedAt: issue.height, coSigners: issue.coSigners },
                standingAt: standing.height,
              },
              transactions,
            );
      if (missing !== null) throw incomplete(`credential ${name} lacks ${missing}`);
      return { id: record.id, stored, transactions };
    });
  }

  finish(): PackageReport {
    if (this.#report !== null) return this.#report;
    throw packageError("CLIENT_PACKAGE_INCOMPLETE", this.#lines + 1, "the last line is missing");
  }
}

/** Whether packages of a purpose hold lines of a kind. */
function isOf(purpose: Line<"package">["purpose"] | undefined, kind: LineKind): boolean {
  if (kind === "transaction") return purpose === "evidence";
  return kind !== "member" || purpose !== "disclosure";
}

/** By what lines of one kind ascend; null where another order is checked. */
function keyOf(line: Line, hasHead: boolean): string | null {
  const padded = (height: number): string => String(height).padStart(16, "0");
  switch (line.kind) {
    case "validators":
      return padded(line.height);
    case "header":
      // The first is the highest; those after it ascend.
      return hasHead ? padded(line.height) : null;
    case "schema":
      return line.schema;
    case "member":
      return line.address;
    case "transaction":
      return `${padded(line.height)} ${padded(line.index)}`;
    default:
      return null;
  }
}

function malformed(detail: string) {
  return clientError("CLIENT_PACKAGE_MALFORMED", detail);
}

function incomplete(detail: string) {
  return clientError("CLIENT_PACKAGE_INCOMPLETE", detail);
}
