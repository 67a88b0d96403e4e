import { MAX_CREDENTIAL_PAGE, type MethodResult } from "@credlink/api";
import {
  CREDENTIAL_CONTRACT,
  type CredentialParent,
  credentialKey,
  type IndexEntry,
  indexEntryKey,
  type StoredCredential,
  storedCredentialCodec,
} from "@credlink/contracts";
import { equalBytes, fromHex, toHex } from "@credlink/primitives";
import type { Client } from "./client.ts";
import { clientError, GatewayError } from "./errors.ts";
import { decodeClaim, type VerifiedHeader } from "./header-claims.ts";

/** A credential whose record was proven under a certified header. */
export interface ProvenCredential {
  readonly stored: StoredCredential;
  readonly header: VerifiedHeader;
}

/** One step of a trace. */
export interface TraceStep extends ProvenCredential {
  /** Steps from the credential asked for. */
  readonly depth: number;
  /** The edge that led here, which a proven record holds; null for the one asked for. */
  readonly by: { readonly from: Uint8Array; readonly relation: string } | null;
}

/** A part of a trace. */
export interface TracePage {
  /** Highest block that the page tells of; pages that follow are asked for with it. */
  readonly height: number;
  readonly steps: readonly TraceStep[];
  /** Offset of the next page; null: the node says that there is none, which nothing proves. */
  readonly next: number | null;
}

export interface TraceOptions {
  /** Up: to what the credential rests on. Down: to what rests on it. */
  readonly direction: "up" | "down";
  /** Steps from the credential at most, 1 to 32. Default 5. */
  readonly depth?: number;
  /** Credentials of this page at most, 1 to 256. Default 100. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly offset?: number;
  /** `height` of the first page, so that what comes later does not shift the pages. */
  readonly height?: number;
}

/** Most credentials that one whole trace follows. */
const MAX_STEPS = 4_096;

/** A credential by its id, proven; null when it is proven absent. */
export async function getCredential(
  client: Client,
  id: Uint8Array,
): Promise<ProvenCredential | null> {
  const { value, header } = await client.getState(CREDENTIAL_CONTRACT, credentialKey(id));
  return value === null ? null : { stored: readStored(id, value), header };
}

/**
 * The live credential that holds a blinded identifier, or null: proven that none does. So a second
 * registration of one identifier is found before it is tried.
 */
export async function findByIndex(
  client: Client,
  entry: IndexEntry,
): Promise<{ readonly holder: ProvenCredential | null; readonly header: VerifiedHeader }> {
  const { value, header } = await client.getState(CREDENTIAL_CONTRACT, indexEntryKey(entry));
  if (value === null) return { holder: null, header };
  const holder = await getCredential(client, value);
  const isHolder = holder?.stored.record.indexes.some(
    ({ keyId, value: own }) => keyId === entry.keyId && equalBytes(own, entry.value),
  );
  if (isHolder === true) return { holder, header };
  throw clientError("CLIENT_RECORD_ALTERED", "the holder does not have the identifier");
}

/** @throws ClientError CLIENT_RECORD_ALTERED */
export function readStored(id: Uint8Array, value: Uint8Array): StoredCredential {
  const stored = decodeClaim(storedCredentialCodec, value, "credential");
  if (equalBytes(stored.record.id, id)) return stored;
  throw clientError("CLIENT_RECORD_ALTERED", `the record under ${toHex(id)} is another's`);
}

/**
 * Credentials by their ids, proven under one header, each there.
 * @throws ClientError CLIENT_CREDENTIAL_UNKNOWN when one is proven absent
 */
export async function getCredentials(
  client: Client,
  ids: readonly Uint8Array[],
): Promise<readonly ProvenCredential[]> {
  const found: ProvenCredential[] = [];
  for (let at = 0; at < ids.length; at += MAX_CREDENTIAL_PAGE) {
    const part = ids.slice(at, at + MAX_CREDENTIAL_PAGE);
    const places = part.map((id) => ({ contract: CREDENTIAL_CONTRACT, key: credentialKey(id) }));
    const { values, header } = await client.getStates(places);
    for (const [place, id] of part.entries()) {
      const value = values[place]?.value ?? null;
      if (value === null) throw clientError("CLIENT_CREDENTIAL_UNKNOWN", toHex(id));
      found.push({ stored: readStored(id, value), header });
    }
  }
  return found;
}

/**
 * Everything that a credential rests on, up to the identities: breadth first, each once, each
 * proven. The parents stand in the records, so a node can leave none out.
 *
 * @throws ClientError CLIENT_CREDENTIAL_UNKNOWN when the credential, or one that it names, is
 *   proven absent; CLIENT_GRAPH_TOO_LARGE
 */
export async function traceUp(client: Client, id: Uint8Array): Promise<readonly TraceStep[]> {
  const steps: TraceStep[] = [];
  const seen = new Set<string>([toHex(id)]);
  let level: readonly { readonly id: Uint8Array; readonly by: TraceStep["by"] }[] = [
    { id, by: null },
  ];
  for (let depth = 0; level.length > 0; depth += 1) {
    const found = await getCredentials(
      client,
      level.map((each) => each.id),
    );
    const next: { readonly id: Uint8Array; readonly by: TraceStep["by"] }[] = [];
    for (const [place, credential] of found.entries()) {
      const { record } = credential.stored;
      steps.push({ ...credential, depth, by: level[place]?.by ?? null });
      for (const { id: parent, relation } of record.parents) {
        if (seen.has(toHex(parent))) continue;
        seen.add(toHex(parent));
        next.push({ id: parent, by: { from: record.id, relation } });
      }
    }
    if (seen.size > MAX_STEPS) {
      throw clientError("CLIENT_GRAPH_TOO_LARGE", `more than ${MAX_STEPS} credentials`);
    }
    level = next;
  }
  return steps;
}

/**
 * A page of a trace. Where it leads is the node's word; each record is proven, and so is each edge
 * by the parents that stand in the lower one's record. A node cannot add a step; downward, it can
 * leave one out.
 *
 * @throws ClientError CLIENT_RECORD_ALTERED for a step without its edge, CLIENT_PROOF_INVALID, …;
 *   CLIENT_CREDENTIAL_UNKNOWN when the credential is proven absent
 */
export async function tracePage(
  client: Client,
  id: Uint8Array,
  options: TraceOptions,
): Promise<TracePage> {
  const { direction, depth = 5, limit = 100, offset = 0, height } = options;
  const at = height === undefined ? {} : { height };
  const asked = { id: toHex(id), direction, depth, limit, offset, ...at };
  const answer = await client.call("credential.trace", asked).catch(async (error: unknown) => {
    const isUnknown = error instanceof GatewayError && error.code === "API_NOT_FOUND";
    if (!isUnknown || (await getCredential(client, id)) !== null) throw error;
    throw clientError("CLIENT_CREDENTIAL_UNKNOWN", toHex(id), { cause: error });
  });
  const ids = answer.steps.map((step) => fromHex(step.id));
  if (answer.steps.length > limit || new Set(answer.steps.map((step) => step.id)).size < ids.length)
    throw clientError("CLIENT_RECORD_ALTERED", "the walk names a credential twice, or too many");
  const proven = await getCredentials(client, ids);
  const upper = direction === "up" ? await parentsOf(client, answer, proven) : new Map();
  const steps = answer.steps.map(({ by, depth: distance, ...step }, place): TraceStep => {
    const credential = proven[place];
    if (credential === undefined) throw edgeMissing(step.id);
    if (by === null) {
      if (step.id === toHex(id) && distance === 0) return { ...credential, depth: 0, by: null };
      throw edgeMissing(step.id);
    }
    const [above, parents] =
      direction === "up"
        ? [step.id, upper.get(by.from) ?? []]
        : [by.from, credential.stored.record.parents];
    if (!hasEdge(parents, above, by.relation) || distance < 1 || distance > depth) {
      throw edgeMissing(step.id);
    }
    const edge = { from: fromHex(by.from), relation: by.relation };
    return { ...credential, depth: distance, by: edge };
  });
  return { height: answer.height, steps, next: answer.next };
}

function hasEdge(parents: readonly CredentialParent[], id: string, relation: string): boolean {
  return parents.some((parent) => toHex(parent.id) === id && parent.relation === relation);
}

function edgeMissing(id: string) {
  return clientError("CLIENT_RECORD_ALTERED", `no record holds the edge that led to ${id}`);
}

/** Proven parents of those from which steps of a page were reached: some stand in other pages. */
async function parentsOf(
  client: Client,
  { steps }: MethodResult<"credential.trace">,
  proven: readonly ProvenCredential[],
): Promise<ReadonlyMap<string, readonly CredentialParent[]>> {
  const known = new Map(
    proven.map(({ stored: { record } }) => [toHex(record.id), record.parents] as const),
  );
  const others = new Set(
    steps.flatMap(({ by }) => (by === null || known.has(by.from) ? [] : [by.from])),
  );
  for (const { stored } of await getCredentials(client, [...others].map(fromHex))) {
    known.set(toHex(stored.record.id), stored.record.parents);
  }
  return known;
}
