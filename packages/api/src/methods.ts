import { z } from "zod";
import { controlMethods, nodeMode } from "./control-methods.ts";
import { credentialMethods } from "./credential-methods.ts";
import { addressText, digestHex, heightNumber, hex } from "./scalars.ts";

const header = z.object({
  height: heightNumber,
  digest: digestHex,
  /** Canonical header. */
  header: hex,
  /** Canonical commit certificate; empty for genesis, which none signed. */
  certificate: hex,
});

const transactionOutcome = z.discriminatedUnion("status", [
  z.object({
    status: z.literal("committed"),
    height: heightNumber,
    index: z.number().int().nonnegative(),
    /** Canonical signed transaction. */
    transaction: hex,
    /** Canonical receipt. */
    receipt: hex,
    /** Canonical Merkle proofs under the header's roots. */
    transactionProof: hex,
    receiptProof: hex,
    header,
  }),
  z.object({ status: z.literal("pending") }),
  z.object({ status: z.literal("expired") }),
  z.object({ status: z.literal("unknown") }),
]);

/** Most values that one call of `state.getMany` asks for. */
export const MAX_STATE_ENTRIES = 1_024;

/**
 * Every method of the JSON-RPC 2.0 gateway at `POST /rpc`: what it takes (`params`, an object), what
 * it returns, and whether a session token (`Authorization: Bearer …`) is needed.
 */
export const methods = {
  /** First half of a login: a challenge that is good once and for a minute. */
  "session.challenge": {
    session: false,
    params: z.strictObject({ address: addressText }),
    result: z.object({ challenge: digestHex, expiresInMs: z.number() }),
  },
  /** Second half: SM2 over SM3-tagged("credlink/session/1", genesis digest, challenge, address). */
  "session.login": {
    session: false,
    params: z.strictObject({ address: addressText, challenge: digestHex, signature: hex }),
    result: z.object({ token: z.string(), expiresAtMs: z.number() }),
  },
  "chain.info": {
    session: true,
    params: z.strictObject({}),
    result: z.object({
      chainId: z.string(),
      genesisDigest: digestHex,
      height: heightNumber,
      headDigest: digestHex,
      stateRoot: digestHex,
      timestampMs: z.number(),
      /** V(height + 1). */
      validators: z.array(
        z.object({ index: z.number(), nodeId: z.string(), publicKey: hex, peerId: z.string() }),
      ),
      parameters: z.record(z.string(), z.number()),
    }),
  },
  "chain.genesis": {
    session: true,
    params: z.strictObject({}),
    result: z.object({ genesis: hex }),
  },
  /** V(height) as this node stores it, up to height head + 2: a caller compares its digest. */
  "chain.validators": {
    session: true,
    params: z.strictObject({ height: heightNumber.min(1) }),
    result: z.object({
      validators: z
        .array(z.object({ nodeId: z.string(), publicKey: hex, peerId: z.string() }))
        .max(128),
    }),
  },
  "block.header": {
    session: true,
    params: z.strictObject({ height: heightNumber }),
    result: header,
  },
  "block.get": {
    session: true,
    params: z.union([
      z.strictObject({ height: heightNumber, transactions: z.boolean().optional() }),
      z.strictObject({ digest: digestHex, transactions: z.boolean().optional() }),
    ]),
    result: header.extend({
      /** Canonical [header, body]. */
      block: hex,
      /** Signed transactions, when asked for. */
      transactions: z.array(hex).optional(),
      /** Canonical receipts, when transactions were asked for. */
      receipts: z.array(hex).optional(),
    }),
  },
  "transaction.submit": {
    session: true,
    params: z.strictObject({ transaction: hex }),
    result: z.object({ id: digestHex }),
  },
  /** Each transaction is judged by itself: one refusal does not touch the others. */
  "transaction.submitBatch": {
    session: true,
    params: z.strictObject({ transactions: z.array(hex).min(1).max(512) }),
    result: z.object({
      results: z.array(
        z.union([
          z.object({ id: digestHex }),
          z.object({
            code: z.string(),
            remedy: z.string(),
            retryAfterMs: z.number().optional(),
          }),
        ]),
      ),
    }),
  },
  "transaction.get": {
    session: true,
    params: z.strictObject({ id: digestHex }),
    result: transactionOutcome,
  },
  /** Waits until the transaction is committed or expired, at most `timeoutMs`. */
  "transaction.wait": {
    session: true,
    params: z.strictObject({ id: digestHex, timeoutMs: z.number().int().min(0).max(60_000) }),
    result: transactionOutcome,
  },
  /** The node's signed word that it has the transaction, or that it stands in a block. */
  "transaction.receipt": {
    session: true,
    params: z.strictObject({ transaction: hex }),
    result: z.object({
      /** Canonical signed receipt, of type `taken` or `decided`. */
      receipt: hex,
    }),
  },
  /** One value of the head's state with its proof of presence or absence. */
  "state.get": {
    session: true,
    params: z.strictObject({ contract: z.string().max(64), key: hex }),
    result: z.object({
      value: hex.nullable(),
      /** Canonical state proof under the header's state root. */
      proof: hex,
      header,
    }),
  },
  /** Several values of one head's state, each with its proof: all under one header. */
  "state.getMany": {
    session: true,
    params: z.strictObject({
      entries: z
        .array(z.strictObject({ contract: z.string().max(64), key: hex }))
        .min(1)
        .max(MAX_STATE_ENTRIES),
    }),
    result: z.object({
      /** In the order asked for. */
      entries: z.array(z.object({ value: hex.nullable(), proof: hex })),
      header,
    }),
  },
  /** A read-only call on the head's state; its answer carries no proof. */
  "contract.query": {
    session: true,
    params: z.strictObject({
      contract: z.string().max(64),
      /** The started version when absent. */
      version: z.string().max(32).optional(),
      method: z.string().max(64),
      args: hex,
    }),
    result: z.object({
      height: heightNumber,
      status: z.string(),
      returnValue: hex,
      gasUsed: z.number(),
    }),
  },
  /** What this node saw of how a height was decided; its own word, made of others' signatures. */
  "consensus.history": {
    session: true,
    params: z.strictObject({ height: heightNumber.min(1) }),
    result: z.object({
      height: heightNumber,
      /** Canonical history of consensus. */
      history: hex,
      /** Binds this history and those of all heights below it that the node kept. */
      link: digestHex,
      /** The link of the height below, from which `link` follows; below height 1 genesis. */
      below: digestHex,
    }),
  },
  ...credentialMethods,
  ...controlMethods,
  "node.status": {
    session: true,
    params: z.strictObject({}),
    result: z.object({
      nodeId: z.string(),
      peerId: z.string(),
      role: z.string(),
      version: z.string(),
      height: heightNumber,
      headDigest: digestHex,
      stateRoot: digestHex,
      view: z.number(),
      phase: z.string(),
      primary: z.string().nullable(),
      syncing: z.boolean(),
      abstaining: z.boolean(),
      /** Whether another process was proven to use this node's key (NODE_KEY_SHARED). */
      keyShared: z.boolean(),
      mempool: z.object({ transactions: z.number(), bytes: z.number(), oldestMs: z.number() }),
      clockOffsetMs: z.number().nullable(),
      peers: z.array(
        z.object({
          peerId: z.string(),
          nodeId: z.string(),
          organization: z.string(),
          role: z.string(),
          provisional: z.boolean(),
        }),
      ),
      uptimeMs: z.number(),
      /** Whether it takes part in the chain and takes new work. */
      mode: nodeMode,
      /** First end of a certificate on the way from its own to the root, milliseconds since 1970. */
      certificateEndsAtMs: z.number(),
    }),
  },
} as const;

export type MethodName = keyof typeof methods;
export type Params<M extends MethodName> = z.infer<(typeof methods)[M]["params"]>;
export type MethodResult<M extends MethodName> = z.infer<(typeof methods)[M]["result"]>;

/** What `error.data` of a JSON-RPC error holds. */
export const errorData = z.object({
  /** A code of docs/errors.md. */
  code: z.string(),
  remedy: z.string(),
  retryAfterMs: z.number().optional(),
});
export type ErrorData = z.infer<typeof errorData>;
