import {
  type IndexedSignature,
  type Message,
  type PreparedCertificate,
  signedPayload,
  type ViewChange,
  type Wish,
} from "@credlink/consensus-pbft";
import { type Digest, digest, height, validatorIndex, view } from "@credlink/primitives";
import { type Behaviour, instead, lie, type Outgoing, type Traitor, viewNear } from "./traitor.ts";

function wishOf(message: Exclude<Message, { readonly type: "decided" }>, to: number): Wish {
  const signature = new Uint8Array(64);
  const { sender } = message;
  return { type: "wish", height: message.height, view: viewNear(to, 0), sender, signature };
}

/** Wishes for far views all the time. */
export const farViews: Behaviour = async (out, traitor) => {
  const { message } = out;
  if (message.type === "decided") return [out];
  const far = traitor.random.chance(0.5) ? 2 ** 31 : traitor.random.integer(1_000);
  return [out, await lie(out, wishOf(message, far), traitor)];
};

/** Wishes for the next view before anything ran out. */
export const earlyWish: Behaviour = async (out, traitor) => {
  const { message } = out;
  if (message.type === "decided") return [out];
  return [out, await lie(out, wishOf(message, message.view + 1), traitor)];
};

function onViewChange(
  act: (out: Outgoing, message: ViewChange, traitor: Traitor) => Promise<readonly Outgoing[]>,
): Behaviour {
  return async (out, traitor) =>
    out.message.type === "view-change" ? act(out, out.message, traitor) : [out];
}

const unprepared = { preparedView: null, preparedDigest: null, prepared: null } as const;

/** Denies what it prepared. */
export const hidePrepared = onViewChange(async (out, message, traitor) => [
  await lie(out, { ...message, ...unprepared }, traitor),
]);

/** Tells some what it prepared, and others that it prepared nothing. */
export const twoViewChanges = onViewChange(async (out, message, traitor) =>
  traitor.conspiracy.deceived.has(out.peer)
    ? [await lie(out, { ...message, ...unprepared }, traitor)]
    : [out],
);

/** Claims to have prepared a block of its own in the view before, with a proof that is none. */
export const forgePrepared = onViewChange(async (out, message, traitor) => {
  const { random } = traitor;
  const preparedView = viewNear(message.view, -1);
  const preparedDigest = message.preparedDigest ?? digest(random.bytes(32));
  const place = { height: message.height, view: preparedView, digest: preparedDigest };
  const prepared = { ...place, signatures: await ownUnderEveryIndex(place, message, traitor) };
  return [await lie(out, { ...message, preparedView, preparedDigest, prepared }, traitor)];
});

/** The traitor's own PREPARE under every index: all that it can sign. */
async function ownUnderEveryIndex(
  place: { readonly height: number; readonly view: number; readonly digest: Digest },
  { sender }: ViewChange,
  { conspiracy, signer }: Traitor,
): Promise<readonly IndexedSignature[]> {
  const { chainId, genesisDigest, validatorsAt } = conspiracy;
  const set = validatorsAt(place.height);
  if (set === null) return [];
  const context = { chainId, genesisDigest, validatorsHash: set.hash };
  const vote = { type: "prepare", ...place, height: height(place.height), view: view(place.view) };
  const message = { ...vote, type: "prepare", sender } as const;
  const signature = await signer.sign(signedPayload(context, message));
  return set.validators.map((_, at) => ({ index: validatorIndex(at), signature }));
}

interface Certified {
  readonly height: PreparedCertificate["height"];
  readonly view: PreparedCertificate["view"];
  readonly digest: Digest;
  readonly signatures: readonly IndexedSignature[];
}

/** One thing wrong with a certificate: too few, twice, out of order, another place or block. */
async function spoil<C extends Certified>(certificate: C, traitor: Traitor): Promise<C> {
  const { random, signer } = traitor;
  const { signatures } = certificate;
  const [first, ...others] = signatures;
  if (first === undefined) return certificate;
  switch (random.integer(9)) {
    case 0:
      return { ...certificate, signatures: others };
    case 1:
      return { ...certificate, signatures: [first, first, ...others.slice(1)] };
    case 2:
      return { ...certificate, signatures: [...signatures].reverse() };
    case 3:
      return { ...certificate, view: viewNear(certificate.view, 1) };
    case 4:
      return { ...certificate, height: height(certificate.height + 1) };
    case 5:
      return { ...certificate, digest: digest(random.bytes(32)) };
    case 6: {
      const signature = await signer.sign(random.bytes(32));
      return { ...certificate, signatures: [{ ...first, signature }, ...others] };
    }
    case 7: {
      const beyond = { ...first, index: validatorIndex(200) };
      return { ...certificate, signatures: [...signatures, beyond] };
    }
    default: {
      const shifted = signatures.map(({ index }, at) => ({
        index,
        signature: signatures[(at + 1) % signatures.length]?.signature ?? first.signature,
      }));
      return { ...certificate, signatures: shifted };
    }
  }
}

/** Certificates and justifications with one thing wrong, wherever one is sent. */
export const badCertificates: Behaviour = async (out, traitor) => {
  const { message } = out;
  switch (message.type) {
    case "decided":
      return [instead(out, { ...message, certificate: await spoil(message.certificate, traitor) })];
    case "view-change":
      if (message.prepared === null) return [out];
      return [instead(out, { ...message, prepared: await spoil(message.prepared, traitor) })];
    case "pre-prepare": {
      if (message.justification === null) return [out];
      const { viewChanges, prepared } = message.justification;
      const justification =
        prepared !== null && traitor.random.chance(0.5)
          ? { viewChanges, prepared: await spoil(prepared, traitor) }
          : { viewChanges: spoilList(viewChanges, traitor), prepared };
      return [instead(out, { ...message, justification })];
    }
    default:
      return [out];
  }
};

function spoilList<T>(items: readonly T[], { random }: Traitor): readonly T[] {
  const [first, ...others] = items;
  if (first === undefined) return items;
  return random.pick([others, [first, first, ...others.slice(1)], [...items].reverse()]);
}
