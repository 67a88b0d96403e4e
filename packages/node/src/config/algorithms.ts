import { type TransportName, transportNames } from "@credlink/ledger";
import { z } from "zod";
import { ConfigError } from "./errors.ts";

/**
 * What a node may be asked to permit. Digests have 256 bits and are never cut; signatures, key
 * files and exports know no other algorithms than these. Of transports, noise is the declared
 * exception: X25519, ChaCha20-Poly1305 and SHA-256 between nodes (docs/protocol/crypto.md §1).
 */
const allowed: Readonly<Record<keyof AlgorithmsConfig, readonly string[]>> = {
  digest: ["sm3"],
  signature: ["sm2"],
  cipher: ["sm4"],
  transport: transportNames,
};

/** What every chain uses: a node that does not permit it could not verify a block. */
const needed = ["digest", "signature", "cipher"] as const;

const names = (...defaults: readonly string[]) =>
  z.array(z.string().max(64)).default([...defaults]);

export const algorithmsSchema = z
  .strictObject({
    digest: names("sm3").describe("Digests that the node may use; sm3 is the only one there is."),
    signature: names("sm2").describe("Signatures that it may use; sm2 is the only one there is."),
    cipher: names("sm4").describe("Ciphers of keys and exports; sm4 is the only one there is."),
    transport: names("noise", "gm").describe(
      "Suites between nodes that it may use. With gm alone it refuses to start on a noise chain.",
    ),
  })
  .prefault({});

export type AlgorithmsConfig = z.output<typeof algorithmsSchema>;

/** @throws ConfigError NODE_CONFIG_ALGORITHM_REFUSED, naming the key */
export function checkAlgorithms(algorithms: AlgorithmsConfig): void {
  const refuse = (kind: string, text: string): never => {
    throw new ConfigError("NODE_CONFIG_ALGORITHM_REFUSED", `algorithms.${kind}`, text);
  };
  for (const [kind, given] of Object.entries(algorithms)) {
    const list = Object.entries(allowed).find(([each]) => each === kind)?.[1] ?? [];
    const unknown = given.find((name) => !list.includes(name));
    if (unknown !== undefined) refuse(kind, `${unknown} is none of ${list.join(", ")}`);
  }
  for (const kind of needed) {
    const missing = allowed[kind].find((name) => !algorithms[kind].includes(name));
    if (missing !== undefined) refuse(kind, `no chain can do without ${missing}`);
  }
  if (algorithms.transport.length === 0) refuse("transport", "no suite is permitted");
}

/** Whether a chain's transport is one that the operator permits. */
export function permitsTransport(algorithms: AlgorithmsConfig, transport: TransportName): boolean {
  return algorithms.transport.includes(transport);
}
