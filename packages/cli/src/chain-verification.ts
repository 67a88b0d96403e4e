import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { verifyCommitCertificate, verifyEvidence } from "@credlink/consensus-pbft";
import { createExecutor } from "@credlink/contracts-vm";
import { createVerificationPool, sm2Verify } from "@credlink/crypto";
import { type Finding, genesisCodec, genesisDigest, verifyChain } from "@credlink/ledger";
import { loadConfig, openLevelStore } from "@credlink/node";
import { toHex, tryDecode } from "@credlink/primitives";
import { readFileOf } from "./connection.ts";
import { CliError } from "./errors.ts";

/** What a verification of a node's folder came to. */
export interface ChainVerification {
  readonly chainId: string;
  readonly genesisDigest: string;
  /** Height of the stored head. */
  readonly height: number;
  readonly findings: readonly FoundFault[];
}

/** One fault and its place. */
export interface FoundFault {
  readonly code: string;
  readonly space: string;
  /** Hexadecimal. */
  readonly key: string;
  readonly height?: number;
  readonly contract?: string;
  /** Hexadecimal. */
  readonly stateKey?: string;
  readonly detail: string;
}

/** Most signatures that wait for a thread. */
const MAX_QUEUED = 1_000_000;

/**
 * Walks the chain that a node stored, from genesis to its head: links, certificates, signatures,
 * execution, roots, and every row. The node must not be running.
 *
 * @param dir the node's folder, with `node.yaml` and its data.
 * @throws CliError CLI_FILE_MALFORMED; StorageError NODE_STORAGE_… when the database is locked
 */
export async function verifyNodeChain(
  dir: string,
  onProgress: (height: number, headHeight: number) => void = () => {},
): Promise<ChainVerification> {
  const config = await loadConfig({ file: join(dir, "node.yaml") });
  const read = tryDecode(genesisCodec, readFileOf(config.genesis));
  if (!read.ok) throw new CliError("CLI_FILE_MALFORMED", `${config.genesis}: ${read.code}`);
  const genesis = read.value;
  const digest = genesisDigest(genesis);
  const path = join(config.dataDir, "db");
  if (!existsSync(path)) throw new CliError("CLI_FILE_UNREADABLE", `${path}: no database there`);
  const store = await openLevelStore(path, { create: false, cacheBytes: 64 * 1024 * 1024 });
  const threads = Math.max(1, availableParallelism() - 1);
  const pool = createVerificationPool({ threads, maxQueuedSignatures: MAX_QUEUED });
  const chain = { chainId: genesis.chainId, genesisDigest: digest };
  let height = 0;
  try {
    const findings = await verifyChain(store, createExecutor(), genesis, {
      verifyCertificate: (certificate, validators) =>
        verifyCommitCertificate(certificate, validators, chain, sm2Verify).ok,
      verifySignatures: (claims) => pool.verify(claims),
      verifyEvidence: (evidence, validators) =>
        verifyEvidence(evidence, validators, chain, sm2Verify).ok,
      onProgress: (progress) => {
        height = progress.height;
        onProgress(progress.height, progress.headHeight);
      },
    });
    return {
      chainId: genesis.chainId,
      genesisDigest: toHex(digest),
      height,
      findings: findings.map(describeFinding),
    };
  } finally {
    await pool.close();
    await store.close();
  }
}

function describeFinding(finding: Finding): FoundFault {
  const { code, space, key, height, contract, stateKey, detail } = finding;
  return {
    code,
    space,
    key: toHex(key),
    ...(height === undefined ? {} : { height }),
    ...(contract === undefined ? {} : { contract }),
    ...(stateKey === undefined ? {} : { stateKey: toHex(stateKey) }),
    detail,
  };
}
