import {
  type AmountOpening,
  type CorrectArgs,
  CREDENTIAL_FORMAT,
  type CredentialParent,
  type CredentialRecord,
  type CredentialType,
  commitAmount,
  commitPayload,
  correctArgsCodec,
  createOpenings,
  createSalts,
  type IndexEntry,
  isSummed,
  type Payload,
  payloadSchemas,
  policyDigest,
  reasonDigest,
  revokeArgsCodec,
  type SaltedText,
  type Salts,
  submitArgsCodec,
} from "@credlink/contracts";
import { type Address, encode, toHex } from "@credlink/primitives";
import type { ExampleRandom } from "./random.ts";

/** A key pair with its address. */
export interface ExampleKey {
  /** 32 bytes. */
  readonly privateKey: Uint8Array;
  /** 65 bytes. */
  readonly publicKey: Uint8Array;
  readonly address: Address;
}

/** One transaction to the credential contract. */
export interface CredentialStep {
  /** Who sends it; null: the institution. */
  readonly sender: ExampleKey | null;
  /** What it is, for people. */
  readonly name: string;
  /** Steps of one stage do not depend on each other; all of the stages before must be done. */
  readonly stage: number;
  readonly method: "submit" | "correct" | "revoke" | "use";
  readonly args: Uint8Array;
  /** The credential that it issues, or the one that it takes back or uses. */
  readonly id: Uint8Array;
  readonly type: CredentialType;
  /** Null where nothing is issued. */
  readonly record: CredentialRecord | null;
  readonly payload: Payload;
  readonly salts: Salts;
  readonly policy: SaltedText | null;
  readonly openings: readonly AmountOpening[];
  /** Whose signatures must stand beside the sender's. */
  readonly coSigners: readonly ExampleKey[];
  /** Ids of the credentials that must be committed before. */
  readonly dependsOn: readonly Uint8Array[];
}

/** What the builder needs to know of one credential. */
export interface CredentialDraft {
  readonly name: string;
  readonly type: CredentialType;
  readonly subjects?: readonly ExampleKey[];
  /** Subjects that have no key here: the institution itself. */
  readonly subjectAddresses?: readonly Address[];
  readonly parents?: readonly CredentialParent[];
  readonly indexes?: readonly IndexEntry[];
  readonly payload: Payload;
  /** Canonical bytes of a case's, verdict's or grant's terms. */
  readonly terms?: Uint8Array;
  /** Who issues and sends it; absent: the institution. */
  readonly sender?: ExampleKey;
  readonly validFromMs: number;
  readonly validToMs?: number;
  readonly coSigners?: readonly ExampleKey[];
  /** Further credentials that must be committed before, though they are not parents. */
  readonly after?: readonly Uint8Array[];
}

const POLICY = JSON.stringify({
  read: ["institution", "subjects", "regulator"],
  verify: ["members"],
  purpose: "灵活就业服务全链路凭证",
});

type Issued = Pick<CredentialStep, "record" | "payload" | "salts" | "policy" | "openings">;

const nothingIssued: Issued = { record: null, payload: {}, salts: {}, policy: null, openings: [] };

/** Turns drafts into steps and keeps account of what depends on what. */
export class StepBuilder {
  readonly steps: CredentialStep[] = [];
  readonly random: ExampleRandom;
  private readonly issuer: Address;
  private readonly stages = new Map<string, number>();
  /** Openings of what was made, for the sums of what is made from it. */
  private readonly openings = new Map<string, readonly AmountOpening[]>();

  constructor(random: ExampleRandom, issuer: Address) {
    this.random = random;
    this.issuer = issuer;
  }

  /** Record, salts, openings and policy of a draft; nothing is added to the steps. */
  make(draft: CredentialDraft) {
    const schema = payloadSchemas[draft.type];
    const salts = createSalts(draft.payload, (length) => this.random.bytes(length));
    const policy: SaltedText = { salt: this.random.bytes(32), text: POLICY };
    const id = this.random.bytes(32);
    const openings = this.open(draft);
    this.openings.set(toHex(id), openings);
    const record: CredentialRecord = {
      format: CREDENTIAL_FORMAT,
      id,
      type: draft.type,
      schema: schema.id,
      issuer: draft.sender?.address ?? this.issuer,
      subjects: draft.subjectAddresses ?? (draft.subjects ?? []).map(({ address }) => address),
      parents: draft.parents ?? [],
      commitment: commitPayload(schema, draft.payload, salts),
      indexes: draft.indexes ?? [],
      amounts: openings.map(commitAmount),
      policyDigest: policyDigest(policy),
      level: schema.level,
      validFromMs: draft.validFromMs,
      validToMs: draft.validToMs ?? null,
      payloadReference: this.random.bytes(32),
      terms: draft.terms ?? null,
    };
    return { record, salts, policy, openings };
  }

  /** Openings whose sums work out with those of the parents; whatever else a parent is, is wrong. */
  private open({ type, payload, parents = [] }: CredentialDraft): readonly AmountOpening[] {
    const above = parents.flatMap(({ id, relation }) => {
      const known = isSummed(relation) ? this.openings.get(toHex(id)) : undefined;
      return known === undefined || known.length === 0 ? [] : [known];
    });
    return createOpenings(type, payload, above, (length) => this.random.bytes(length));
  }

  /** Appends a submission. */
  submit(draft: CredentialDraft): CredentialRecord {
    const { record, ...rest } = this.make(draft);
    this.append(draft, record.id, {
      method: "submit",
      args: encode(submitArgsCodec, record),
      record,
      payload: draft.payload,
      ...rest,
    });
    return record;
  }

  /** Appends a correction of `replaces`. */
  correct(draft: CredentialDraft, replaces: Uint8Array, reason: string): CredentialRecord {
    const { record, ...rest } = this.make(draft);
    const args: CorrectArgs = { id: replaces, reason: this.reason(reason), record };
    this.append({ ...draft, after: [...(draft.after ?? []), replaces] }, record.id, {
      method: "correct",
      args: encode(correctArgsCodec, args),
      record,
      payload: draft.payload,
      ...rest,
    });
    return record;
  }

  /** Appends one use of a grant. */
  use(draft: {
    readonly name: string;
    readonly sender: ExampleKey;
    readonly grant: Uint8Array;
    readonly args: Uint8Array;
  }): void {
    const { name, sender, grant, args } = draft;
    const place = { name, type: "grant.access" as const, sender, after: [grant] };
    this.append(place, grant, { ...nothingIssued, method: "use", args });
  }

  /** Appends a revocation. */
  revoke(draft: { name: string; after?: readonly Uint8Array[] }, record: CredentialRecord): void {
    const after = [...(draft.after ?? []), record.id];
    this.append({ name: draft.name, type: record.type, after }, record.id, {
      method: "revoke",
      args: encode(revokeArgsCodec, { id: record.id, reason: this.reason(draft.name) }),
      ...nothingIssued,
    });
  }

  /** The stage after which everything so far is committed. */
  get lastStage(): number {
    return Math.max(-1, ...this.steps.map(({ stage }) => stage));
  }

  private reason(text: string) {
    return reasonDigest({ salt: this.random.bytes(32), text });
  }

  private append(
    draft: Pick<CredentialDraft, "name" | "type" | "sender" | "parents" | "coSigners" | "after">,
    id: Uint8Array,
    rest: Issued & Pick<CredentialStep, "method" | "args">,
  ): void {
    const dependsOn = [...(draft.parents ?? []).map((parent) => parent.id), ...(draft.after ?? [])];
    const stage = Math.max(-1, ...dependsOn.map((on) => this.stages.get(toHex(on)) ?? -1)) + 1;
    this.stages.set(toHex(id), stage);
    const { name, type, sender = null, coSigners = [] } = draft;
    this.steps.push({ name, stage, sender, id, type, coSigners, dependsOn, ...rest });
  }
}
