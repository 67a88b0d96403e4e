import {
  type Commit,
  createReplica,
  createRoster,
  createValidatorSet,
  defaultReplicaOptions,
  defaultTiming,
  type Effect,
  type Input,
  type Message,
  type PrePrepare,
  type Prepare,
  type Replica,
  signedPayload,
  type ValidatorSet,
} from "@credlink/consensus-pbft";
import { genesisDigest } from "@credlink/ledger";
import { type Digest, digest, height, validatorIndex, view } from "@credlink/primitives";
import { createSeededRandom, SIMULATION_START_MS } from "@credlink/testkit";
import { CheckFailure, createProtocolProfile } from "../../src/index.ts";
import { KnownValidators } from "../../src/known-validators.ts";

type Unsigned = Parameters<typeof signedPayload>[1];

/** Distributes over the union, so that each kind of message keeps its own fields. */
type Draft<M> = M extends { readonly signature: Uint8Array } ? Omit<M, "signature"> : never;

/** What stands for a block: 32 bytes of one value. */
export const block = (value: number): Digest => digest(new Uint8Array(32).fill(value));

export const at = (h: number, v: number) => ({ height: height(h), view: view(v) });

/** The number of the invariant that `check` finds broken, or null. */
export function brokenBy(check: () => void): string | null {
  try {
    check();
    return null;
  } catch (error) {
    if (error instanceof CheckFailure) return error.invariant;
    throw error;
  }
}

/** Keys and signed messages of a few validators, for checkers that are fed by hand. */
export function createBench(validators = 4) {
  const random = createSeededRandom(1);
  const profile = createProtocolProfile(random, validators, SIMULATION_START_MS);
  const set: ValidatorSet = createValidatorSet(profile.genesis.validators);
  const chain = {
    chainId: profile.genesis.chainId,
    genesisDigest: genesisDigest(profile.genesis),
  };
  const known = new KnownValidators(set);
  const sign = async <M extends Message>(draft: Draft<M>, by = Number(draft.sender)) => {
    const signer = profile.signers[by];
    if (signer === undefined) throw new Error("no such validator");
    const context = { ...chain, validatorsHash: set.hash };
    const payload = signedPayload(context, draft as unknown as Unsigned);
    return { ...draft, signature: await signer.sign(payload) } as unknown as M;
  };
  const vote = (type: "prepare" | "commit", h: number, v: number, of: Digest, sender: number) =>
    sign<Prepare | Commit>({ type, ...at(h, v), digest: of, sender: validatorIndex(sender) });
  const certificate = async (
    type: "prepare" | "commit",
    h: number,
    v: number,
    of: Digest,
    signers: readonly number[],
  ) => ({
    ...at(h, v),
    digest: of,
    signatures: await Promise.all(
      signers.map(async (index) => ({
        index: validatorIndex(index),
        signature: (await vote(type, h, v, of, index)).signature,
      })),
    ),
  });
  const proposal = (h: number, v: number, of: Digest, timestampMs: number) =>
    sign<PrePrepare>({
      type: "pre-prepare",
      ...at(h, v),
      parentDigest: block(0),
      digest: of,
      sender: validatorIndex((h + v) % validators),
      proposal: {
        digest: of,
        parentDigest: block(0),
        height: height(h),
        proposer: validatorIndex((h + v) % validators),
        timestampMs,
        validatorsHash: set.hash,
        nextValidatorsHash: set.hash,
        transactionCount: 0,
        sizeBytes: 0,
        payload: new Uint8Array(0),
      },
      transactions: [],
      justification: null,
    });
  /** A replica of validator 0 that decides height 1. */
  const replica = (): Replica => {
    const { publicKey } = set.validators[0] ?? { publicKey: new Uint8Array(65) };
    const made = createReplica(
      { ...defaultReplicaOptions, ...chain, publicKey, allowNonByzantine: true },
      {
        head: { height: height(0), digest: block(0), timestampMs: 0 },
        validators: createRoster(set),
        nextValidators: createRoster(set),
        timing: defaultTiming,
        records: [],
        abstain: false,
      },
    );
    made.start(SIMULATION_START_MS);
    return made;
  };
  return { profile, set, chain, known, sign, vote, certificate, proposal, replica };
}

/** A step of a replica as a checker is shown it. */
export function stepOf(
  replica: Replica,
  message: Message,
  effects: readonly Effect[] = [],
  nowMs = SIMULATION_START_MS,
) {
  const input: Input = { type: "message", message };
  return { input, effects, nowMs, replica };
}
