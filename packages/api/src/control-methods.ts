import { z } from "zod";
import { auditTypes } from "./audit-entry.ts";
import { MAX_CONTROL_BYTES } from "./control-request.ts";
import { digestHex, heightNumber, hex } from "./scalars.ts";

/** Most entries in one answer of `node.audit` and `node.events`. */
export const MAX_CONTROL_PAGE = 256;
/** Longest wait of `node.events`, milliseconds. */
export const MAX_EVENT_WAIT_MS = 30_000;

/** Whether a node takes part and takes work. */
export const nodeModes = ["running", "draining", "drained", "standby"] as const;
export type NodeMode = (typeof nodeModes)[number];
export const nodeMode = z.enum(nodeModes);

const count = z.number().int().nonnegative();
const text = z.string();

const peerRow = z.object({
  nodeId: text,
  peerId: text,
  organization: text,
  role: text,
  connected: z.boolean(),
  provisional: z.boolean(),
  /** Last and smoothed round trip, milliseconds; null before the first answer. */
  rttMs: z.number().nullable(),
  smoothedRttMs: z.number().nullable(),
  /** Time since it joined or left, milliseconds. */
  sinceMs: z.number(),
  receivedBytes: count,
  sentBytes: count,
  /** How often it left, by reason, since this process began. */
  disconnects: z.array(z.object({ reason: text, count })),
  lastReason: text.nullable(),
});

const event = z.object({
  sequence: count,
  timeMs: z.number(),
  type: z.enum(["joined", "promoted", "left", "refused", "mode"]),
  peerId: text.nullable(),
  nodeId: text.nullable(),
  organization: text.nullable(),
  role: text.nullable(),
  /** Code of docs/errors.md, or a word of docs/protocol/node-control.md; null where none is due. */
  reason: text.nullable(),
});

/** An entry of the audit log as JSON: in answers, and as a line of its file. */
export const auditEntryJson = z.object({
  sequence: count,
  timeMs: z.number(),
  type: z.enum(auditTypes),
  /** For `done` and `failed`: the entry that was accepted. */
  of: count.nullable(),
  /** `cl1…`: who called; null for what the node did by itself. */
  member: text.nullable(),
  code: text,
  detail: text,
  /** The canonical request and its signature as they came; empty where there was none. */
  request: hex,
  signature: hex,
  /** Requests of the same member that were turned away unread since its entry before. */
  suppressed: count,
  previous: digestHex,
  hash: digestHex,
});

/**
 * What an operator asks of one node, and tells it. Reading is for admins, regulators and auditors,
 * changing for admins of the node's own organisation, by signed requests.
 */
export const controlMethods = {
  /** What this node is: software, machine, addresses, certificate. */
  "node.info": {
    session: true,
    params: z.strictObject({}),
    result: z.object({
      nodeId: text,
      peerId: text,
      address: text,
      organization: text,
      role: text,
      /** Whether it stands in V(height + 1). */
      validating: z.boolean(),
      chainId: text,
      genesisDigest: digestHex,
      software: z.object({ credlink: text, node: text, openssl: text }),
      machine: z.object({
        host: text,
        system: text,
        architecture: text,
        processors: count,
        memoryBytes: count,
      }),
      addresses: z.object({ rpc: text, metrics: text, p2p: z.array(text) }),
      certificate: z.object({
        serial: text,
        subject: text,
        issuer: text,
        notBeforeMs: z.number(),
        notAfterMs: z.number(),
      }),
      protocols: z.array(text),
      startedAtMs: z.number(),
    }),
  },
  /** What it uses of its machine. */
  "node.resources": {
    session: true,
    params: z.strictObject({}),
    result: z.object({
      processors: count,
      /** Processors that the process kept busy since the last second, 1 is one of them whole. */
      processorUse: z.number(),
      loadAverage: z.array(z.number()),
      memory: z.object({ totalBytes: count, freeBytes: count, residentBytes: count }),
      disk: z.object({ totalBytes: count, freeBytes: count }),
      openFiles: z.object({ open: count.nullable(), limit: count.nullable() }),
    }),
  },
  /** Every peer that this node has met, with its traffic. */
  "node.peers": {
    session: true,
    params: z.strictObject({}),
    result: z.object({
      peers: z.array(peerRow),
      validators: z.object({
        total: count,
        quorum: count,
        /** Ourselves included, where we are one. */
        reachable: count,
        missing: z.array(text),
        /** Fewer are reachable than a quorum: here no block is decided. */
        partitioned: z.boolean(),
      }),
    }),
  },
  /** Joins, leaves and changes of mode after `after`; waits for one when there is none yet. */
  "node.events": {
    session: true,
    params: z.strictObject({
      after: count.optional(),
      limit: z.number().int().min(1).max(MAX_CONTROL_PAGE).optional(),
      waitMs: z.number().int().min(0).max(MAX_EVENT_WAIT_MS).optional(),
    }),
    result: z.object({
      events: z.array(event),
      /** Goes into `after` of the next call. */
      next: count,
      /** Events after `after` that are not kept any more. */
      missed: count,
    }),
  },
  /** Settings in force and where each comes from. */
  "node.config": {
    session: true,
    params: z.strictObject({ key: text.max(128).optional() }),
    result: z.object({
      settings: z.array(
        z.object({
          key: text,
          /** JSON text. */
          value: text,
          source: z.enum(["start", "run time"]),
          /** Whether `config.set` changes it while the node runs. */
          changeable: z.boolean(),
          range: text,
        }),
      ),
    }),
  },
  /** Requests that were to change this node, refused ones too, oldest first. */
  "node.audit": {
    session: true,
    params: z.strictObject({
      from: count.optional(),
      limit: z.number().int().min(1).max(MAX_CONTROL_PAGE).optional(),
    }),
    result: z.object({
      entries: z.array(auditEntryJson),
      next: count.nullable(),
      head: z.object({ sequence: count, hash: digestHex }),
    }),
  },
  /** One signed request; answered when it is done. */
  "node.control": {
    session: true,
    params: z.strictObject({ request: hex.max(2 * MAX_CONTROL_BYTES), signature: hex.max(128) }),
    result: z.object({
      /** Of the entry in the audit log that says it was accepted. */
      sequence: count,
      mode: nodeMode,
      height: heightNumber,
      /** Accepted transactions that are not yet in a block. */
      open: count,
      /** Canonical signed receipt, of type `configured`. */
      receipt: hex,
    }),
  },
} as const;
