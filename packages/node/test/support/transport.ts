import type { TransportName } from "@credlink/ledger";
import { createGmSuite } from "../../src/p2p/gm/gm-suite.ts";
import { noiseSuite } from "../../src/p2p/noise-channel.ts";
import type { TransportSuite } from "../../src/p2p/secure-channel.ts";

let used: TransportName = "noise";

/**
 * Makes chains and attackers of this test file encrypt with a suite. A file that calls it and then
 * imports another file's tests runs them over that suite.
 */
export function useTransport(name: TransportName): void {
  used = name;
}

export function usedTransport(): TransportName {
  return used;
}

/** The suite in use, as an attacker has it. */
export function usedSuite(): TransportSuite {
  if (used === "noise") return noiseSuite;
  return createGmSuite({ chainId: "test-chain", onBroken: () => undefined });
}
