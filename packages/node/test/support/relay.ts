import type { PrivateKey, SecuredConnection } from "@libp2p/interface";
import type { AdmissionMessage } from "../../src/p2p/admission-messages.ts";
import { createAttacker, dial, relay } from "./attacker.ts";
import { usedSuite } from "./transport.ts";

/** Where a message goes, and the two sessions between which the relay stands. */
export interface Passage {
  readonly to: "listener" | "dialer";
  /** Of the session with whoever dialled the relay. */
  readonly inwardHash: Uint8Array;
  /** Of the session with the node that the relay dialled. */
  readonly outwardHash: Uint8Array;
}

/** How a relay changes what it passes on; default not at all. */
export type Change = (message: AdmissionMessage, passage: Passage) => AdmissionMessage;

/** Who the relay says it is on either side; keys of others are stolen, default its own. */
export interface RelayKeys {
  /** Under which it is dialled. */
  readonly inward?: PrivateKey;
  /** Under which it dials on. */
  readonly outward?: PrivateKey;
}

function closed(stream: SecuredConnection["connection"]): Promise<void> {
  return new Promise((resolve) => {
    stream.addEventListener("close", () => resolve());
  });
}

/**
 * A man in the middle over TCP: it ends the secure channel with whoever dials it and with
 * `target`, and passes the admission's messages between the two sessions.
 */
export async function createRelay(
  target: readonly string[],
  keys: RelayKeys = {},
  change: Change = (message) => message,
) {
  const waiting: { readonly secured: SecuredConnection; readonly sessionHash: Uint8Array }[] = [];
  const passed: AdmissionMessage[] = [];
  const outward = await createAttacker(
    async (secured, _role, _self, outwardHash) => {
      const inbound = waiting.shift();
      if (inbound === undefined) throw new Error("nobody to relay for");
      const here = inbound.secured.connection;
      const there = secured.connection;
      const pass = (to: Passage["to"]) => (message: AdmissionMessage) => {
        const passage = { to, inwardHash: inbound.sessionHash, outwardHash };
        const changed = change(message, passage);
        passed.push(changed);
        return changed;
      };
      const ends = Promise.all([closed(here), closed(there)]);
      relay(here, there, pass("listener"));
      relay(there, here, pass("dialer"));
      await ends;
    },
    usedSuite().protocol,
    keys.outward,
  );
  const inward = await createAttacker(
    async (secured, _role, _self, sessionHash) => {
      waiting.push({ secured, sessionHash });
      await dial(outward, target);
    },
    usedSuite().protocol,
    keys.inward,
  );
  return {
    addresses: inward.getMultiaddrs().map(String),
    inwardId: inward.peerId.toString(),
    outwardId: outward.peerId.toString(),
    /** Every message that was passed on, as it was passed on. */
    passed: passed as readonly AdmissionMessage[],
    stop: async (): Promise<void> => {
      await Promise.all([inward.stop(), outward.stop()]);
    },
  };
}
