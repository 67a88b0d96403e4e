import { z } from "zod";
import { digestHex, heightNumber } from "./scalars.ts";

/** Most steps of one walk from a credential. */
export const MAX_TRACE_DEPTH = 32;
/** Most children, events or steps in one answer. */
export const MAX_CREDENTIAL_PAGE = 256;

const id = digestHex;
const limit = z.number().int().min(1).max(MAX_CREDENTIAL_PAGE);
const place = z.number().int().nonnegative();
/** Opaque: where the page before ended. */
const cursor = z.string().regex(/^[0-9a-f]{28}$/);

const page = {
  id,
  limit,
  after: cursor.optional(),
  /** Rows of later blocks do not count; as the first page said it. Default: the index's end. */
  height: heightNumber.optional(),
};

/**
 * What a node's own index of credentials answers: its word, no proof. A client proves each record
 * that it is led to by `state.get`; the parents that stand in a record prove the edge.
 */
export const credentialMethods = {
  /** Credentials that name this one as a parent, in the chain's order. */
  "credential.children": {
    session: true,
    params: z.strictObject(page),
    result: z.object({
      /** Highest block that the answer tells of. */
      height: heightNumber,
      children: z.array(
        z.object({
          id: digestHex,
          type: z.string(),
          relation: z.string(),
          /** Where it was submitted. */
          height: heightNumber,
          index: place,
        }),
      ),
      next: cursor.nullable(),
    }),
  },
  /** Events of the contract that name the credential, in the chain's order. */
  "credential.history": {
    session: true,
    params: z.strictObject(page),
    result: z.object({
      height: heightNumber,
      events: z.array(
        z.object({ topic: z.string(), transaction: digestHex, height: heightNumber, index: place }),
      ),
      next: cursor.nullable(),
    }),
  },
  /** A walk through the graph, breadth first, each credential once, page by page. */
  "credential.trace": {
    session: true,
    params: z.strictObject({
      id,
      /** Up: to what it rests on. Down: to what rests on it. */
      direction: z.enum(["up", "down"]),
      depth: z.number().int().min(1).max(MAX_TRACE_DEPTH),
      limit,
      /** Steps to pass over: `next` of the page before. */
      offset: place.optional(),
      height: heightNumber.optional(),
    }),
    result: z.object({
      height: heightNumber,
      steps: z.array(
        z.object({
          id: digestHex,
          type: z.string(),
          depth: place,
          /** The first edge that led here; null for the credential asked for. */
          by: z.object({ from: digestHex, relation: z.string() }).nullable(),
        }),
      ),
      next: place.nullable(),
    }),
  },
} as const;
