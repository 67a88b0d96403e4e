import { yamux } from "@chainsafe/libp2p-yamux";
import { decode, encode } from "@credlink/primitives";
import type {
  ConnectionEncrypter,
  MessageStream,
  PrivateKey,
  SecuredConnection,
} from "@libp2p/interface";
import { tcp } from "@libp2p/tcp";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p, type Libp2p } from "libp2p";
import { type AdmissionMessage, admissionMessageCodec } from "../../src/p2p/admission-messages.ts";
import { encodeFrame, FrameDecoder } from "../../src/p2p/frames.ts";
import type { EncrypterComponents } from "../../src/p2p/secure-channel.ts";
import { silentComponentLogger } from "../../src/p2p/silent-logger.ts";
import { usedSuite } from "./transport.ts";

/** What an attacker does once the secure channel is up, which it cannot get around. */
export type Script = (
  secured: SecuredConnection,
  role: "dialer" | "listener",
  self: string,
  sessionHash: Uint8Array,
) => Promise<void>;

export const messageOf = (frame: Uint8Array): AdmissionMessage =>
  decode(admissionMessageCodec, frame);
export const frameOf = (message: AdmissionMessage): Uint8Array =>
  encodeFrame(encode(admissionMessageCodec, message));

/**
 * A libp2p node that speaks the suite in use under the admission protocol's name, then `script`.
 * `privateKey`: a peer key that it stole; default a key of its own.
 */
export async function createAttacker(
  script: Script,
  protocol = usedSuite().protocol,
  privateKey?: PrivateKey,
) {
  const encrypter = (components: EncrypterComponents): ConnectionEncrypter => {
    const inner = usedSuite().create(components);
    const self = components.peerId.toString();
    return {
      protocol,
      async secureInbound(connection, options) {
        const { secured, sessionHash } = await inner.secureInbound(connection, options);
        await script(secured, "listener", self, sessionHash);
        return secured;
      },
      async secureOutbound(connection, options) {
        const { secured, sessionHash } = await inner.secureOutbound(connection, options);
        await script(secured, "dialer", self, sessionHash);
        return secured;
      },
    };
  };
  return createLibp2p({
    ...(privateKey === undefined ? {} : { privateKey }),
    logger: silentComponentLogger,
    addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    transports: [tcp()],
    connectionEncrypters: [encrypter],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
  });
}

/** Dials and swallows whatever comes of it. */
export async function dial(attacker: Libp2p, addresses: readonly string[]): Promise<void> {
  await attacker.dial(addresses.map((each) => multiaddr(each))).catch(() => undefined);
}

/** Collects everything that a stream brings, until it closes. */
export function collect(stream: MessageStream): {
  readonly bytes: () => Uint8Array;
  readonly closed: Promise<void>;
} {
  const chunks: Uint8Array[] = [];
  const closed = new Promise<void>((resolve) => {
    stream.addEventListener("close", () => resolve());
  });
  stream.addEventListener("message", (event) => chunks.push(event.data.subarray()));
  return { bytes: () => Uint8Array.from(chunks.flatMap((chunk) => [...chunk])), closed };
}

/**
 * Passes on what one stream brings to another, each message changed by `change`; what is no
 * message any more, as it is.
 */
export function relay(
  from: MessageStream,
  to: MessageStream,
  change: (message: AdmissionMessage) => AdmissionMessage,
): void {
  const frames = new FrameDecoder(64 * 1024);
  let isThrough = false;
  const passMessages = (): void => {
    for (let frame = frames.next(); frame !== undefined; frame = frames.next()) {
      if (to.status === "open") to.send(frameOf(change(messageOf(frame))));
    }
  };
  from.addEventListener("message", (event) => {
    const data = event.data.subarray();
    if (isThrough) {
      if (to.status === "open") to.send(data);
      return;
    }
    frames.push(data);
    try {
      passMessages();
    } catch {
      isThrough = true;
      if (to.status === "open") to.send(data);
    }
  });
  from.addEventListener("close", () => void to.close().catch(() => undefined));
}
