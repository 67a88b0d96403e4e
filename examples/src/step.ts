import {
  type CorrectArgs,
  CREDENTIAL_FORMAT,
  type CredentialParent,
  type CredentialRecord,
  type CredentialType,
  commitPayload,
  correctArgsCodec,
  createSalts,
  type IndexEntry,
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
  /** What it is, for people. */
  readonly name: string;
  /** Steps of one stage do not depend on each other; all of the stages before must be done. */
  readonly stage: number;
  readonly method: "submit" | "correct" | "revoke";
  readonly args: Uint8Array;
  /** The credential that it issues or, for `revoke`, takes back. */
  readonly id: Uint8Array;
  readonly type: CredentialType;
  /** Null for `revoke`. */
  readonly record: CredentialRecord | null;
  readonly payload: Payload;
  readonly salts: Salts;
  readonly policy: SaltedText | null;
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

/** Turns drafts into steps and keeps account of what depends on what. */
export class StepBuilder {
  readonly steps: CredentialStep[] = [];
  readonly random: ExampleRandom;
  private readonly issuer: Address;
  private readonly stages = new Map<string, number>();

  constructor(random: ExampleRandom, issuer: Address) {
    this.random = random;
    this.issuer = issuer;
  }

  /** Record, payload, salts and policy of a draft; nothing is added to the steps. */
  make(draft: CredentialDraft) {
    const schema = payloadSchemas[draft.type];
    const salts = createSalts(draft.payload, (length) => this.random.bytes(length));
    const policy: SaltedText = { salt: this.random.bytes(32), text: POLICY };
    const record: CredentialRecord = {
      format: CREDENTIAL_FORMAT,
      id: this.random.bytes(32),
      type: draft.type,
      schema: schema.id,
      issuer: this.issuer,
      subjects: draft.subjectAddresses ?? (draft.subjects ?? []).map(({ address }) => address),
      parents: draft.parents ?? [],
      commitment: commitPayload(schema, draft.payload, salts),
      indexes: draft.indexes ?? [],
      amountCommitment: null,
      policyDigest: policyDigest(policy),
      level: schema.level,
      validFromMs: draft.validFromMs,
      validToMs: draft.validToMs ?? null,
      payloadReference: this.random.bytes(32),
    };
    return { record, salts, policy };
  }

  /** Appends a submission. */
  submit(draft: CredentialDraft): CredentialRecord {
    const { record, salts, policy } = this.make(draft);
    this.append(draft, record.id, {
      method: "submit",
      args: encode(submitArgsCodec, record),
      record,
      payload: draft.payload,
      salts,
      policy,
    });
    return record;
  }

  /** Appends a correction of `replaces`. */
  correct(draft: CredentialDraft, replaces: Uint8Array, reason: string): CredentialRecord {
    const { record, salts, policy } = this.make(draft);
    const args: CorrectArgs = { id: replaces, reason: this.reason(reason), record };
    this.append({ ...draft, after: [...(draft.after ?? []), replaces] }, record.id, {
      method: "correct",
      args: encode(correctArgsCodec, args),
      record,
      payload: draft.payload,
      salts,
      policy,
    });
    return record;
  }

  /** Appends a revocation. */
  revoke(draft: { name: string; after?: readonly Uint8Array[] }, record: CredentialRecord): void {
    const after = [...(draft.after ?? []), record.id];
    this.append({ name: draft.name, type: record.type, after }, record.id, {
      method: "revoke",
      args: encode(revokeArgsCodec, { id: record.id, reason: this.reason(draft.name) }),
      record: null,
      payload: {},
      salts: {},
      policy: null,
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
    draft: Pick<CredentialDraft, "name" | "type" | "parents" | "coSigners" | "after">,
    id: Uint8Array,
    rest: Pick<CredentialStep, "method" | "args" | "record" | "payload" | "salts" | "policy">,
  ): void {
    const dependsOn = [...(draft.parents ?? []).map((parent) => parent.id), ...(draft.after ?? [])];
    const stage = Math.max(-1, ...dependsOn.map((on) => this.stages.get(toHex(on)) ?? -1)) + 1;
    this.stages.set(toHex(id), stage);
    const { name, type, coSigners = [] } = draft;
    this.steps.push({ name, stage, id, type, coSigners, dependsOn, ...rest });
  }
}
