import { type VoteRecord, voteLogIdentity } from "@credlink/consensus-pbft";
import type { ConsensusLedger } from "@credlink/ledger";
import { type Digest, type Disk, equalBytes, type Height } from "@credlink/primitives";
import type { VoteLog } from "./vote-log.ts";
import { hasVotesOf } from "./vote-log-opening.ts";
import { openVoteLog, type VoteLogComponents } from "./vote-log-writer.ts";

/** Names, in the vote log's folder, a key under which no vote was cast yet. */
const FRESH_KEY_FILE = "fresh-key";

/** Where the vote log lies, and whose it is to be. */
export interface FreshKeyPlace {
  readonly disk: Disk;
  readonly folder: string;
  readonly publicKey: Uint8Array;
}

/**
 * Notes durably that the next start begins a new vote log for `publicKey`. Only whoever made the key and
 * never voted with it may say so: a log that is missing means votes that are forgotten otherwise.
 */
export async function noteFreshKey({ disk, folder, publicKey }: FreshKeyPlace): Promise<void> {
  await disk.makeFolder(folder);
  const file = await disk.open(`${folder}/${FRESH_KEY_FILE}`, { create: true });
  try {
    await file.truncate(0);
    await file.write(0, publicKey);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.syncFolder(folder);
}

/** Whether the note is there and names this very key; a torn note names none. */
export async function isFreshKey({ disk, folder, publicKey }: FreshKeyPlace): Promise<boolean> {
  if (!(await disk.list(folder)).includes(FRESH_KEY_FILE)) return false;
  const file = await disk.open(`${folder}/${FRESH_KEY_FILE}`);
  try {
    const noted = await file.read(0, await file.size());
    return equalBytes(noted, publicKey);
  } finally {
    await file.close();
  }
}

/** To be called once the new log is durable, and before the first vote. */
export async function forgetFreshKey({ disk, folder }: FreshKeyPlace): Promise<void> {
  await disk.remove(`${folder}/${FRESH_KEY_FILE}`);
  await disk.syncFolder(folder);
}

/** What the log of a key that never voted begins with: it knows the head, and nothing else. */
export function decidedHead(head: {
  readonly header: { readonly height: Height };
  readonly digest: Digest;
}): readonly VoteRecord[] {
  const { height } = head.header;
  return height === 0 ? [] : [{ type: "decided", height, digest: head.digest }];
}

/**
 * Opens the vote log of a key over a ledger: the one that is there, or a new one for a fresh key.
 * Votes under the key outweigh the note that it is fresh.
 * @throws EngineError NODE_VOTE_LOG_FAILED when the disk fails.
 */
export async function openVoteLogOf(
  publicKey: Uint8Array,
  ledger: Pick<ConsensusLedger, "genesisDigest" | "head">,
  parts: Omit<VoteLogComponents, "identity" | "headHeight" | "beginsWith">,
): Promise<VoteLog> {
  const place = { ...parts, publicKey };
  const identity = voteLogIdentity(ledger.genesisDigest, publicKey);
  const isNoted = await isFreshKey(place);
  // Who noted it did not know of these votes: it went down before its files named the new key.
  const isFresh = isNoted && !(await hasVotesOf(parts.disk, parts.folder, identity));
  const log = await openVoteLog({
    ...parts,
    identity,
    headHeight: ledger.head.header.height,
    beginsWith: isFresh ? decidedHead(ledger.head) : null,
  });
  // Before the first vote: from then on a log that is lost is one that misses votes.
  if (isNoted) await forgetFreshKey(place);
  return log;
}
