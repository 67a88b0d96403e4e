import { decodeMessage, type Message } from "@credlink/consensus-pbft";
import { CONSENSUS_PROTOCOL } from "@credlink/node/engine";
import type { WireMessage } from "@credlink/testkit";

/** A consensus message on the wire; null when nobody could decode it. */
export interface ReadMessage {
  readonly message: Message | null;
  /** False when these very bytes were read before: a broadcast is one message to many. */
  readonly isNew: boolean;
}

/** Decodes each broadcast once for all checkers; null for other protocols. */
export function createWireReader(): (wire: WireMessage) => ReadMessage | null {
  const known = new WeakMap<Uint8Array, { readonly message: Message | null }>();
  return (wire) => {
    if (wire.protocol !== CONSENSUS_PROTOCOL) return null;
    const before = known.get(wire.bytes);
    if (before !== undefined) return { message: before.message, isNew: false };
    const decoded = decodeMessage(wire.bytes);
    const read = { message: decoded.ok ? decoded.value : null };
    known.set(wire.bytes, read);
    return { ...read, isNew: true };
  };
}
