import { type Receipt, SUCCESS } from "@credlink/ledger";
import { type Address, decode, encode, equalBytes, invariant } from "@credlink/primitives";
import {
  type BusinessMonth,
  type CredentialDraft,
  generateBusinessMonth,
  type Work,
} from "../../../../examples/src/index.ts";
import {
  type CredentialRecord,
  type CredentialStatusAnswer,
  correctArgsCodec,
  credentialIdArgsCodec,
  credentialStatusAnswerCodec,
  declineArgsCodec,
  proposeArgsCodec,
  reasonDigest,
  recordDigest,
  revokeArgsCodec,
  signArgsCodec,
  storedCredentialCodec,
  submitArgsCodec,
} from "../../src/index.ts";
import { TestChain } from "./chain.ts";
import {
  createGenesis,
  DAY_MS,
  GENESIS_MS,
  keySource,
  memberKeyOf,
  type TestKey,
} from "./consortium.ts";
import { submitMonth } from "./month.ts";

export const institution = memberKeyOf("institution");
export const other = memberKeyOf("otherInstitution");
export const regulator = memberKeyOf("regulator");
export const reason = reasonDigest({ salt: new Uint8Array(32), text: "test" });

export interface Sending {
  readonly sender?: TestKey;
  readonly coSigners?: readonly TestKey[];
  readonly timestampMs?: number;
  readonly change?: (record: CredentialRecord) => CredentialRecord;
}

/** What became of a record. */
export interface Outcome {
  readonly status: string;
  readonly record: CredentialRecord;
  readonly receipt: Receipt;
}

/** A small month of its own for one suite. */
export function makeMonth(seed: string, workers = 8): BusinessMonth {
  return generateBusinessMonth({
    seed,
    startMs: GENESIS_MS - 32 * DAY_MS,
    institutionAddress: institution.address,
    regulator,
    createKey: keySource(seed),
    workers,
  });
}

/** A chain that holds a month, and everything that tests do to it; it remembers every status. */
export class Desk {
  readonly chain: TestChain;
  readonly month: BusinessMonth;
  readonly seen = new Set<string>();
  /** Keys that were made beside the month's. */
  readonly keys: TestKey[] = [];

  private constructor(chain: TestChain, month: BusinessMonth) {
    this.chain = chain;
    this.month = month;
  }

  static async open(month: BusinessMonth): Promise<Desk> {
    const chain = await TestChain.open(await createGenesis());
    const refused = await submitMonth(chain, month);
    invariant(refused.length === 0, `the month is taken: ${refused.join()}`);
    return new Desk(chain, month);
  }

  get context() {
    return this.month.context;
  }

  /** Time of the newest block, milliseconds. */
  get nowMs(): number {
    return this.chain.ledger.head.header.timestampMs;
  }

  work(place: number): Work {
    const found = this.month.works[place];
    invariant(found !== undefined, "the month has that worker");
    return found;
  }

  async run(method: string, args: Uint8Array, sending: Sending = {}): Promise<Receipt> {
    const { sender = institution, coSigners = [] } = sending;
    const call = { sender, coSigners, method, args };
    const receipt = await this.chain.run(call, sending.timestampMs);
    this.seen.add(receipt.status);
    return receipt;
  }

  /** The record of a draft under its sender's name. */
  make(draft: CredentialDraft, sending: Sending = {}): CredentialRecord {
    const { sender = draft.sender ?? institution, change = (record) => record } = sending;
    const { record } = this.context.builder.make(draft);
    return change({ ...record, issuer: sender.address });
  }

  async submit(draft: CredentialDraft, sending: Sending = {}): Promise<Outcome> {
    const record = this.make(draft, sending);
    const sender = sending.sender ?? draft.sender ?? institution;
    const coSigners = sending.coSigners ?? draft.coSigners ?? [];
    const args = encode(submitArgsCodec, record);
    const receipt = await this.run("submit", args, { ...sending, sender, coSigners });
    return { status: receipt.status, record, receipt };
  }

  async revoke(id: Uint8Array, sender = institution): Promise<string> {
    return (await this.run("revoke", encode(revokeArgsCodec, { id, reason }), { sender })).status;
  }

  async correct(draft: CredentialDraft, id: Uint8Array, sending: Sending = {}): Promise<Outcome> {
    const record = this.make(draft, sending);
    const args = encode(correctArgsCodec, { id, reason, record });
    const coSigners = sending.coSigners ?? draft.coSigners ?? [];
    const receipt = await this.run("correct", args, { ...sending, coSigners });
    return { status: receipt.status, record, receipt };
  }

  /** Proposes a record by its issuer alone, open for a day unless said otherwise. */
  async propose(
    record: CredentialRecord,
    options: Sending & { readonly openMs?: number; readonly corrects?: Uint8Array } = {},
  ): Promise<Receipt> {
    const { openMs = DAY_MS, corrects } = options;
    const args = encode(proposeArgsCodec, {
      record,
      untilMs: this.nowMs + openMs,
      correction: corrects === undefined ? null : { id: corrects, reason },
    });
    return this.run("propose", args, options);
  }

  sign(record: CredentialRecord, sender: TestKey, sending: Sending = {}): Promise<Receipt> {
    const args = encode(signArgsCodec, { id: record.id, digest: recordDigest(record) });
    return this.run("sign", args, { ...sending, sender });
  }

  decline(record: CredentialRecord, sender: TestKey): Promise<Receipt> {
    return this.run("decline", encode(declineArgsCodec, { id: record.id, reason }), { sender });
  }

  withdraw(record: CredentialRecord, sender = institution): Promise<Receipt> {
    return this.run("withdraw", encode(credentialIdArgsCodec, { id: record.id }), { sender });
  }

  /** A stored record, and who co-signed it. */
  async load(id: Uint8Array) {
    const args = encode(credentialIdArgsCodec, { id });
    const { returnValue } = await this.chain.query("get", args, regulator);
    const { record, issue } = decode(storedCredentialCodec, returnValue);
    return { record, coSigners: issue.coSigners };
  }

  /** The key of somebody who signed in this month or a fixture. */
  keyOf(address: Address): TestKey {
    const all = [...this.keys, ...this.month.relationKeys.map(({ key }) => key)];
    const found = all.find((key) => equalBytes(key.address, address));
    invariant(found !== undefined, "the key is of the month");
    return found;
  }

  async statusOf({ id }: { readonly id: Uint8Array }): Promise<CredentialStatusAnswer> {
    const args = encode(credentialIdArgsCodec, { id });
    const { status, returnValue } = await this.chain.query("status", args, regulator);
    invariant(status === SUCCESS, `status: ${status}`);
    return decode(credentialStatusAnswerCodec, returnValue);
  }

  /** Passes time: one block that does nothing but be later. */
  async pass(untilMs: number): Promise<void> {
    await this.chain.block([], untilMs);
  }
}

/** What stands in a receipt's events, by topic. */
export function topicsOf(receipt: Receipt): readonly string[] {
  return receipt.events.map(({ topic }) => topic);
}
