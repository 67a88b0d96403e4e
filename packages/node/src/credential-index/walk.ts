import { type Height, toHex } from "@credlink/primitives";
import type { CredentialIndex } from "./credential-index.ts";

/** An edge of the graph of credentials, as a walk meets it. */
export interface Edge {
  readonly id: Uint8Array;
  readonly type: string;
  readonly relation: string;
}

/** One credential of a walk. */
export interface WalkStep {
  readonly id: Uint8Array;
  readonly type: string;
  /** Steps from where the walk began. */
  readonly depth: number;
  /** The first edge that led here; null where the walk began. */
  readonly by: { readonly from: Uint8Array; readonly relation: string } | null;
}

/** A part of a walk. */
export interface WalkPage {
  readonly steps: readonly WalkStep[];
  /** Offset of the next page; null at the end. */
  readonly next: number | null;
}

/** Most credentials that one page's walk passes, those of the pages before it included. */
export const MAX_WALK = 4_096;

/** Credentials whose neighbours are read at the same time. */
const AT_ONCE = 16;

export interface WalkRequest {
  readonly root: Pick<WalkStep, "id" | "type">;
  /** Steps from the root that are taken at most. */
  readonly depth: number;
  /** Credentials of the walk to pass over. */
  readonly offset: number;
  readonly limit: number;
  /** Neighbours of a credential in a fixed order, `limit` of them at most. */
  readonly neighbours: (id: Uint8Array, limit: number) => Promise<readonly Edge[]>;
}

/**
 * Walks breadth first, each credential once, and returns the page from `offset` on. Pages are not
 * remembered: each walks again from the root, which is why a walk is bounded. Null: the page ends
 * beyond `MAX_WALK`.
 */
export async function walk(request: WalkRequest): Promise<WalkPage | null> {
  const { root, depth, offset, limit, neighbours } = request;
  const end = offset + limit;
  if (end > MAX_WALK) return null;
  const steps: WalkStep[] = [{ ...root, depth: 0, by: null }];
  const seen = new Set([toHex(root.id)]);
  // One more than the page holds tells whether there is another.
  for (let at = 0; at < steps.length && steps.length <= end; ) {
    const part = steps.slice(at, at + AT_ONCE);
    at += part.length;
    const open = part.filter((step) => step.depth < depth);
    if (open.length === 0) break;
    // Those that were seen before may stand among the first: as many more are asked for.
    const wanted = end + 1 - steps.length + seen.size;
    const found = await Promise.all(open.map(({ id }) => neighbours(id, wanted)));
    // Neighbours in memory never leave the microtasks: what else the node does must get its turn.
    await new Promise((resolve) => setImmediate(resolve));
    for (const [place, edges] of found.entries()) {
      const from = open[place];
      if (from !== undefined) steps.push(...follow(from, edges, seen));
    }
  }
  return { steps: steps.slice(offset, end), next: steps.length > end ? end : null };
}

/** Steps to those that were not seen before. */
function follow(from: WalkStep, edges: readonly Edge[], seen: Set<string>): readonly WalkStep[] {
  const fresh: WalkStep[] = [];
  for (const { id, type, relation } of edges) {
    const name = toHex(id);
    if (seen.has(name)) continue;
    seen.add(name);
    fresh.push({ id, type, depth: from.depth + 1, by: { from: from.id, relation } });
  }
  return fresh;
}

/** Neighbours downward: children by the index, as of a height. */
export function childrenOf(index: CredentialIndex, upTo: Height): WalkRequest["neighbours"] {
  return (id, limit) => index.children({ id, limit, upTo });
}
