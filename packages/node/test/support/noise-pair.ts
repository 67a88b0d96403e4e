import { gmPrimitives } from "../../src/p2p/gm/gm-primitives.ts";
import { gmPrologue } from "../../src/p2p/gm/gm-suite.ts";
import { type HandshakeInputs, Initiator, Responder } from "../../src/p2p/gm/xx-handshake.ts";

export const NOTHING = new Uint8Array(0);

export function inputs(change: Partial<HandshakeInputs> = {}): HandshakeInputs {
  const staticKey = gmPrimitives.generateKey();
  return { primitives: gmPrimitives, prologue: gmPrologue("test-chain"), staticKey, ...change };
}

/** Changes one of the three messages of a handshake, numbered from 0. */
export type Meddle = (message: Uint8Array, index: number) => Uint8Array;

/** Runs a handshake to its end; both sides' sessions, and the messages as they arrived. */
export function shakeHands(
  dialer: HandshakeInputs,
  listener: HandshakeInputs,
  payloads: readonly [Uint8Array, Uint8Array],
  meddle: Meddle = (message) => message,
) {
  const initiator = new Initiator(dialer);
  const responder = new Responder(listener);
  const first = meddle(initiator.writeFirst(), 0);
  responder.readFirst(first);
  const second = meddle(responder.writeSecond(payloads[0]), 1);
  const fromResponder = initiator.readSecond(second);
  const third = meddle(initiator.writeThird(payloads[1]), 2);
  const fromInitiator = responder.readThird(third);
  return {
    messages: [first, second, third] as const,
    payloads: [fromResponder, fromInitiator] as const,
    dialer: initiator.finish(),
    listener: responder.finish(),
    remoteStatics: [initiator.remoteStatic, responder.remoteStatic] as const,
  };
}
