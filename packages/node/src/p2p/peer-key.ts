import { open, readFile } from "node:fs/promises";
import { fromHex, type PeerId, toHex } from "@credlink/primitives";
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from "@libp2p/crypto/keys";
import type { PrivateKey } from "@libp2p/interface";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { NetworkError } from "./errors.ts";

/** A fresh Ed25519 key: it names the node to libp2p and opens noise sessions, nothing else. */
export async function generatePeerKey(): Promise<PrivateKey> {
  return generateKeyPair("Ed25519");
}

/** The libp2p peer id of a key, as genesis and the validator registry spell it. */
export function peerIdOf(key: PrivateKey): PeerId {
  return peerIdFromPrivateKey(key).toString();
}

/** Writes a key as hexadecimal libp2p protobuf, mode 0600; an existing file is never replaced. */
export async function savePeerKey(path: string, key: PrivateKey): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(`${toHex(privateKeyToProtobuf(key))}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** @throws NetworkError NODE_NETWORK_PEER_KEY_INVALID when it cannot be read as an Ed25519 key. */
export async function loadPeerKey(path: string): Promise<PrivateKey> {
  try {
    const key = privateKeyFromProtobuf(fromHex((await readFile(path, "utf8")).trim()));
    if (key.type === "Ed25519") return key;
  } catch (cause) {
    throw new NetworkError("NODE_NETWORK_PEER_KEY_INVALID", path, { cause });
  }
  throw new NetworkError("NODE_NETWORK_PEER_KEY_INVALID", `${path} holds another kind of key`);
}
