import { readFile } from "node:fs/promises";
import {
  type Certificate,
  CryptoError,
  createSm2Signer,
  hmacSm3,
  parseCertificate,
  parseCertificateBundle,
  parseRevocationList,
  type RevocationList,
} from "@credlink/crypto";
import { passwordOf, withKeyFile } from "@credlink/keys";
import { type Genesis, genesisCodec } from "@credlink/ledger";
import { equalBytes, type Signer, tryDecode, utf8 } from "@credlink/primitives";
import { ConfigError } from "./config/errors.ts";
import type { NodeConfig } from "./config/schema.ts";
import { NodeError } from "./errors.ts";

async function readBytes(path: string, key: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    throw new ConfigError("NODE_CONFIG_UNREADABLE", key, `cannot read ${path}`, { cause });
  }
}

async function readText(path: string, key: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path, key));
}

/** Most bytes of a genesis file: all its contracts and certificates fit. */
const MAX_GENESIS_BYTES = 96 * 1024 * 1024;

/** @throws NodeError NODE_START_GENESIS_INVALID; ConfigError NODE_CONFIG_UNREADABLE */
export async function loadGenesis(path: string): Promise<Genesis> {
  const bytes = await readBytes(path, "genesis");
  const genesis = tryDecode(genesisCodec, bytes, { maxBytes: MAX_GENESIS_BYTES });
  if (genesis.ok) return genesis.value;
  throw new NodeError("NODE_START_GENESIS_INVALID", `${path}: ${genesis.code} ${genesis.detail}`);
}

/** Roots and organisation CAs that a genesis names. @throws NodeError */
export function readAnchors(genesis: Genesis): {
  readonly roots: readonly Certificate[];
  readonly authorities: readonly Certificate[];
} {
  const parse = (der: Uint8Array): Certificate => {
    const certificate = parseCertificate(der);
    if (certificate.ok) return certificate.value;
    throw new NodeError("NODE_START_GENESIS_INVALID", `a certificate: ${certificate.code}`);
  };
  return {
    roots: genesis.roots.map(parse),
    authorities: genesis.organizations.map((each) => parse(each.authorityCertificate)),
  };
}

/** A node's own certificate, the CAs in its file, and its key. */
export interface OwnIdentity {
  readonly certificate: Certificate;
  /** DER, the node's own first: what is shown to peers. */
  readonly chain: readonly Uint8Array[];
  readonly signer: Signer;
  /** Secret that seals this node's own files: derived from its key, and of no other use. */
  readonly sealKey: Uint8Array;
}

const SEAL_KEY_DOMAIN = utf8("credlink/node-seal-key/1");

/** Password of a node's key files; undefined when no file is named. @throws ConfigError */
export async function readKeyPassword({ identity }: NodeConfig): Promise<string | undefined> {
  const { keyPasswordFile: path } = identity;
  if (path === undefined) return undefined;
  return passwordOf(await readText(path, "identity.keyPasswordFile"));
}

/**
 * What is made of a node's private key, which is wiped afterwards.
 * @throws as `loadOwnIdentity`
 */
export async function openNodeKey(
  config: NodeConfig,
  key = config.identity.key,
): Promise<Pick<OwnIdentity, "signer" | "sealKey">> {
  const password = await readKeyPassword(config);
  try {
    const access = { allowPlaintext: config.dev, ...(password === undefined ? {} : { password }) };
    return await withKeyFile(key, access, async (privateKey) => ({
      signer: createSm2Signer(privateKey),
      sealKey: hmacSm3(privateKey, SEAL_KEY_DOMAIN),
    }));
  } catch (cause) {
    if (cause instanceof CryptoError && cause.code === "CRYPTO_KEY_PLAINTEXT") {
      throw new NodeError("NODE_START_KEY_PLAINTEXT", key, { cause });
    }
    throw cause;
  }
}

/**
 * Loads a node's certificate and key.
 * @throws NodeError NODE_START_KEY_PLAINTEXT, NODE_START_KEY_MISMATCH; ConfigError; CryptoError;
 *   KeysError when the key lies in a key store whose log forbids its use
 */
export async function loadOwnIdentity(config: NodeConfig): Promise<OwnIdentity> {
  const path = config.identity.certificate;
  const shown = readCertificateChain(await readText(path, "identity.certificate"), path);
  const { signer, sealKey } = await openNodeKey(config);
  if (!equalBytes(signer.publicKey, shown.certificate.subjectKey)) {
    throw new NodeError("NODE_START_KEY_MISMATCH", config.identity.key);
  }
  return { ...shown, signer, sealKey };
}

/**
 * What a node shows to its peers, from the text of a PEM file.
 * @throws ConfigError NODE_CONFIG_UNREADABLE with `path`
 */
export function readCertificateChain(
  text: string,
  path: string,
): Pick<OwnIdentity, "certificate" | "chain"> {
  const bundle = parseCertificateBundle(text);
  const [certificate] = bundle.ok ? bundle.value : [];
  if (!bundle.ok || certificate === undefined) {
    const detail = bundle.ok ? "no certificate" : bundle.code;
    throw new ConfigError("NODE_CONFIG_UNREADABLE", "identity.certificate", `${path}: ${detail}`);
  }
  return { certificate, chain: bundle.value.map(({ der }) => der) };
}

/**
 * Reads revocation list files, PEM or DER.
 * @throws ConfigError NODE_CONFIG_UNREADABLE with the file that cannot be used
 */
export async function loadRevocationLists(
  paths: readonly string[],
): Promise<readonly RevocationList[]> {
  const lists: RevocationList[] = [];
  for (const path of paths) {
    const bytes = await readBytes(path, "p2p.revocationLists");
    const isPem = new TextDecoder().decode(bytes.subarray(0, 11)) === "-----BEGIN ";
    const list = parseRevocationList(isPem ? new TextDecoder().decode(bytes) : bytes);
    if (!list.ok) {
      const detail = `${path}: ${list.code}`;
      throw new ConfigError("NODE_CONFIG_UNREADABLE", "p2p.revocationLists", detail);
    }
    lists.push(list.value);
  }
  return lists;
}
