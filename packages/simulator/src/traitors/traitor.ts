import {
  encodeMessage,
  type Message,
  signedPayload,
  type ValidatorSet,
} from "@credlink/consensus-pbft";
import {
  type Digest,
  MAX_VIEW,
  type PeerId,
  type Signer,
  type View,
  view,
} from "@credlink/primitives";
import type { SeededRandom } from "@credlink/testkit";

/** What colluding nodes share. */
export interface Conspiracy {
  readonly chainId: string;
  readonly genesisDigest: Digest;
  /** V(h), or null where nobody knows it yet. */
  readonly validatorsAt: (height: number) => ValidatorSet | null;
  /** Peers that are shown the twin, or lied to. */
  readonly deceived: ReadonlySet<PeerId>;
  /** Digest in hexadecimal -> its twin. */
  readonly twins: Map<string, Digest>;
  /** Messages that any of them sent or heard, the oldest forgotten first. */
  readonly heard: Message[];
}

/** One traitor: keys of its own and of no honest node, and what all traitors know. */
export interface Traitor {
  readonly conspiracy: Conspiracy;
  readonly signer: Signer;
  readonly random: SeededRandom;
}

/** A message on its way out; `message` is null for bytes that are none. */
export interface Outgoing {
  readonly peer: PeerId;
  readonly bytes: Uint8Array;
  readonly message: Message | null;
  /** Held back so long, milliseconds. */
  readonly delayMs: number;
}

/** What a traitor sends instead of one message to one peer. */
export type Behaviour = (
  out: Outgoing & { readonly message: Message },
  traitor: Traitor,
) => Promise<readonly Outgoing[]> | readonly Outgoing[];

/** Messages that carry a signature of their own. */
export type Signed = Exclude<Message, { readonly type: "decided" }>;

const MAX_HEARD = 400;

/** A view so many steps away, within what can be written down. */
export function viewNear(from: number, steps: number): View {
  return view(Math.min(Math.max(0, from + steps), MAX_VIEW));
}

export function remember({ heard }: Conspiracy, message: Message): void {
  heard.push(message);
  if (heard.length > MAX_HEARD) heard.shift();
}

/** The message under the traitor's signature, for its own or for another chain. */
export async function signAgain<M extends Signed>(
  message: M,
  { conspiracy, signer }: Traitor,
  context: { readonly chainId?: string; readonly validatorsHash?: Digest } = {},
): Promise<M> {
  const { chainId, genesisDigest, validatorsAt } = conspiracy;
  const validatorsHash = validatorsAt(message.height)?.hash ?? genesisDigest;
  const signed = { chainId, genesisDigest, validatorsHash, ...context };
  return { ...message, signature: await signer.sign(signedPayload(signed, message)) };
}

/** Another message to the same peer. */
export function instead(out: Outgoing, message: Message): Outgoing {
  return { ...out, message, bytes: encodeMessage(message) };
}

/** Another message, signed anew, to the same peer. */
export async function lie<M extends Signed>(
  out: Outgoing,
  message: M,
  traitor: Traitor,
): Promise<Outgoing> {
  return instead(out, await signAgain(message, traitor));
}
