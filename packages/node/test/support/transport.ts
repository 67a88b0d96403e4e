import type { TransportName } from "@credlink/ledger";
import { createGmSuite } from "../../src/p2p/gm/gm-suite.ts";
import { noiseSuite } from "../../src/p2p/noise-channel.ts";
import type { TransportSuite } from "../../src/p2p/secure-channel.ts";

/** What chains and attackers of a test file encrypt with: the layer that runs it says so. */
export function usedTransport(): TransportName {
  return process.env.CREDLINK_TEST_TRANSPORT === "gm" ? "gm" : "noise";
}

/** The suite in use, as an attacker has it. */
export function usedSuite(): TransportSuite {
  if (usedTransport() === "noise") return noiseSuite;
  return createGmSuite({ chainId: "test-chain", onBroken: () => undefined });
}
