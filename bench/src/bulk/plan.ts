import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CliError, createNetwork, loadNetwork, networkPaths, planNetwork } from "@credlink/cli";
import { addressFromPublicKey, generateKeyPair, randomBytes } from "@credlink/crypto";
import {
  type BusinessStream,
  createBusinessStream,
  type ExampleKey,
  STREAM_WORKER_STEPS,
} from "@credlink/examples";
import { address, fromHex, toHex } from "@credlink/primitives";
import { UsageError } from "../options.ts";

/** Workers whose business is loaded together: their credentials are asked for in one call. */
export const CHUNK_WORKERS = 16;
/** All 31 days of the business lie in the past of the chain. */
const MONTH_AGO_MS = 33 * 86_400_000;
const FORMAT = 2;

/** What decides every record of a load; kept in its folder, so that it can be made again. */
export interface LoadPlan {
  readonly format: number;
  /** Secret: keys, ids and salts of the records follow from it. */
  readonly seed: string;
  readonly startMs: number;
  readonly validators: number;
  /** Private and public keys of the institutions, hexadecimal. */
  readonly senders: readonly { readonly privateKey: string; readonly publicKey: string }[];
  /** Key that blinds identifiers, hexadecimal. */
  readonly indexKey: string;
}

/** Where a load keeps what. */
export function loadPaths(dir: string) {
  return {
    plan: join(dir, "load.json"),
    network: join(dir, "network"),
    progress: join(dir, "progress.jsonl"),
  };
}

function createPlan(validators: number, senders: number): LoadPlan {
  return {
    format: FORMAT,
    seed: toHex(randomBytes(32)),
    startMs: Date.now() - MONTH_AGO_MS,
    validators,
    senders: Array.from({ length: senders }, () => {
      const { privateKey, publicKey } = generateKeyPair();
      return { privateKey: toHex(privateKey), publicKey: toHex(publicKey) };
    }),
    indexKey: toHex(randomBytes(32)),
  };
}

/**
 * Opens a load's folder, or makes it with its network. Whatever a killed run left unfinished of the
 * network is made anew: no node has run before it is whole.
 *
 * @throws UsageError when the folder is a load's of another size, or not a load's
 */
export async function openLoad(
  dir: string,
  options: { readonly validators: number; readonly senders: number },
  say: (text: string) => void,
): Promise<LoadPlan> {
  const paths = loadPaths(dir);
  if (!existsSync(paths.plan)) {
    if (existsSync(paths.network)) throw new UsageError(`${dir} is not a load's folder`);
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const text = `${JSON.stringify(createPlan(options.validators, options.senders), null, 2)}\n`;
    writeFileSync(`${paths.plan}.new`, text, { mode: 0o600, flush: true });
    renameSync(`${paths.plan}.new`, paths.plan);
  }
  const plan = readPlan(paths.plan);
  if (plan.validators !== options.validators || plan.senders.length !== options.senders) {
    const had = `${plan.validators} validators and ${plan.senders.length} senders`;
    throw new UsageError(`${dir} was made with ${had}`);
  }
  if (isWhole(paths.network)) return plan;
  rmSync(paths.network, { recursive: true, force: true });
  say(`network of ${plan.validators} validators in ${paths.network}`);
  const network = planNetwork({ validators: plan.validators, chainId: "credlink-load" });
  await createNetwork(paths.network, network, { settings: { log: { level: "warn" } } });
  return plan;
}

/** `network.json` is what the making of a network writes last. */
function isWhole(dir: string): boolean {
  try {
    loadNetwork(dir);
    return true;
  } catch (error) {
    if (error instanceof CliError && !existsSync(networkPaths(dir).network)) return false;
    throw error;
  }
}

function readPlan(path: string): LoadPlan {
  const plan = JSON.parse(readFileSync(path, "utf8")) as LoadPlan;
  if (plan.format !== FORMAT) throw new UsageError(`${path} is of another version`);
  return plan;
}

/** An institution of the load and its business. */
export interface LoadSender {
  readonly key: ExampleKey;
  readonly stream: BusinessStream;
}

/** The institutions of a plan: the same wherever and whenever they are made from it. */
export function sendersOf(plan: LoadPlan): readonly LoadSender[] {
  return plan.senders.map(({ privateKey, publicKey }, index) => {
    const key = {
      privateKey: fromHex(privateKey),
      publicKey: fromHex(publicKey),
      address: addressFromPublicKey(fromHex(publicKey)),
    };
    const stream = createBusinessStream({
      seed: `${plan.seed}/${index}`,
      startMs: plan.startMs,
      institutionAddress: address(key.address),
      indexKey: { keyId: 1, key: fromHex(plan.indexKey) },
    });
    return { key, stream };
  });
}

/** The sender of a chunk. */
export function senderOf(senders: readonly LoadSender[], chunk: number): LoadSender {
  const sender = senders[chunk % senders.length];
  if (sender === undefined) throw new Error("a load has senders");
  return sender;
}

/** Whole workers that at least `records` credentials take. */
export function workersFor(records: number): number {
  return Math.ceil(records / STREAM_WORKER_STEPS);
}

/** Numbers of a chunk's workers; the last chunk may have fewer. */
export function workersOf(chunk: number, workers: number): readonly number[] {
  const first = chunk * CHUNK_WORKERS;
  const count = Math.max(0, Math.min(CHUNK_WORKERS, workers - first));
  return Array.from({ length: count }, (_, index) => first + index);
}
