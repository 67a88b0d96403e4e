import { generateKeyPair } from "@libp2p/crypto/keys";
import type { MessageStream } from "@libp2p/interface";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { streamPair } from "@libp2p/utils";
import { createGmSuite } from "../../packages/node/src/p2p/gm/gm-suite.ts";
import { noiseSuite } from "../../packages/node/src/p2p/noise-channel.ts";
import type {
  EncrypterComponents,
  SecureChannel,
  TransportSuite,
} from "../../packages/node/src/p2p/secure-channel.ts";
import { silentComponentLogger } from "../../packages/node/src/p2p/silent-logger.ts";
import type { TransportOptions } from "./options.ts";
import { median, round } from "./statistics.ts";

/** Bytes of the messages, one at a time; of each size so many a round. */
const SIZES: readonly (readonly [sizeBytes: number, count: number])[] = [
  [64, 512],
  [1_024, 512],
  [16_384, 64],
  [65_519, 32],
  [1_048_576, 2],
];
const HANDSHAKES = 8;
const WARM_ROUNDS = 2;

const names = ["plain", "noise", "gm"] as const;
type Name = (typeof names)[number];

/** Median of one suite, and the median of each round's own quotient against the default. */
export interface SuiteFigures {
  /** Processor time of one handshake, both ends together, milliseconds; null without one. */
  readonly handshakeMs: number | null;
  /** Handshakes a second of one core, both ends on it. */
  readonly handshakesPerSecond: number | null;
  /** Sealed, passed on and opened, both ends on one core: MiB a second by bytes of a message. */
  readonly mebibytesPerSecond: Readonly<Record<string, number>>;
  /** Processor time of one message, both ends, microseconds. */
  readonly messageUs: Readonly<Record<string, number>>;
}

/** What `pnpm bench transport` reports. */
export interface TransportReport {
  readonly rounds: number;
  /** `plain` is the same pair of streams without a suite: what the passing on costs alone. */
  readonly suites: Readonly<Record<Name, SuiteFigures>>;
  /** How many times the default's processor time gm takes. */
  readonly gmAgainstNoise: {
    readonly handshake: number;
    readonly message: Readonly<Record<string, number>>;
  };
}

async function components(): Promise<EncrypterComponents> {
  const privateKey = await generateKeyPair("Ed25519");
  // Neither suite asks for more of it when muxers are not negotiated early.
  const upgrader = {
    getStreamMuxers: () => new Map(),
  } as unknown as EncrypterComponents["upgrader"];
  const peerId = peerIdFromPrivateKey(privateKey);
  return { peerId, privateKey, logger: silentComponentLogger, upgrader };
}

interface Ends {
  readonly dialer: SecureChannel;
  readonly listener: SecureChannel;
}

async function endsOf(suite: TransportSuite): Promise<Ends> {
  return {
    dialer: suite.create(await components()),
    listener: suite.create(await components()),
  };
}

type Pair = readonly [MessageStream, MessageStream];

async function connect(ends: Ends | null): Promise<Pair> {
  const [near, far] = await streamPair({ delay: 0, capacity: 1_000_000 });
  if (ends === null) return [near, far];
  const options = { skipStreamMuxerNegotiation: true };
  const [outbound, inbound] = await Promise.all([
    ends.dialer.secureOutbound(near, options),
    ends.listener.secureInbound(far, options),
  ]);
  return [outbound.secured.connection, inbound.secured.connection];
}

/** Sends `count` messages and waits until the other end has all their bytes. */
async function pass([from, to]: Pair, message: Uint8Array, count: number): Promise<void> {
  let missing = message.length * count;
  const arrived = new Promise<void>((resolve) => {
    const listen = (event: { readonly data: { readonly byteLength: number } }): void => {
      missing -= event.data.byteLength;
      if (missing > 0) return;
      to.removeEventListener("message", listen);
      resolve();
    };
    to.addEventListener("message", listen);
  });
  for (let i = 0; i < count; i++) {
    if (!from.send(message.slice())) await from.onDrain();
  }
  await arrived;
}

/** Processor time of this process, milliseconds. */
async function cpuMs(task: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await task();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** Times by suite, then by what was measured: "handshake" or bytes of a message. */
type Times = Record<Name, Map<string, number[]>>;

async function measureOne(ends: Ends | null, add: (what: string, ms: number) => void) {
  if (ends !== null) {
    const shake = async (): Promise<void> => {
      for (let i = 0; i < HANDSHAKES; i++) await connect(ends);
    };
    add("handshake", (await cpuMs(shake)) / HANDSHAKES);
  }
  const pair = await connect(ends);
  for (const [sizeBytes, count] of SIZES) {
    const message = new Uint8Array(sizeBytes).fill(sizeBytes & 255);
    add(String(sizeBytes), (await cpuMs(() => pass(pair, message, count))) / count);
  }
}

function figuresOf(times: Map<string, number[]>): SuiteFigures {
  const shake = times.get("handshake");
  const handshakeMs = shake === undefined ? null : median(shake);
  const sizes = SIZES.map(([size]) => [size, median(times.get(String(size)) ?? [])] as const);
  return {
    handshakeMs: handshakeMs === null ? null : round(handshakeMs),
    handshakesPerSecond: handshakeMs === null ? null : Math.round(1_000 / handshakeMs),
    mebibytesPerSecond: Object.fromEntries(
      sizes.map(([size, ms]) => [size, round((size * 1_000) / ms / 2 ** 20)]),
    ),
    messageUs: Object.fromEntries(sizes.map(([size, ms]) => [size, round(ms * 1_000)])),
  };
}

/**
 * Measures both suites, and none, in turn.
 * @param warmRounds rounds before those that count
 */
export async function runTransport(
  { rounds }: TransportOptions,
  warmRounds = WARM_ROUNDS,
): Promise<TransportReport> {
  const onBroken = (error: unknown): never => {
    throw error;
  };
  const ends: Record<Name, Ends | null> = {
    plain: null,
    noise: await endsOf(noiseSuite),
    gm: await endsOf(createGmSuite({ chainId: "bench", onBroken })),
  };
  const times: Times = { plain: new Map(), noise: new Map(), gm: new Map() };
  for (let i = 0; i < warmRounds + rounds; i++) {
    for (const name of names) {
      await measureOne(ends[name], (what, ms) => {
        if (i < warmRounds) return;
        times[name].set(what, [...(times[name].get(what) ?? []), ms]);
      });
    }
  }
  const quotient = (what: string): number => {
    const base = times.noise.get(what) ?? [];
    return round(median((times.gm.get(what) ?? []).map((ms, i) => ms / (base[i] ?? ms))));
  };
  return {
    rounds,
    suites: {
      plain: figuresOf(times.plain),
      noise: figuresOf(times.noise),
      gm: figuresOf(times.gm),
    },
    gmAgainstNoise: {
      handshake: quotient("handshake"),
      message: Object.fromEntries(SIZES.map(([size]) => [size, quotient(String(size))])),
    },
  };
}

/** The report as lines of text. */
export function renderTransport({ suites, gmAgainstNoise }: TransportReport): string {
  const sizes = SIZES.map(([size]) => String(size));
  const line = (name: string, cells: readonly string[]): string =>
    [name.padEnd(26), ...cells.map((cell) => cell.padStart(10))].join("");
  const shake = names.map((name) => String(suites[name].handshakeMs ?? "-"));
  const perSecond = names.map((name) => String(suites[name].handshakesPerSecond ?? "-"));
  return [
    line("processor time", [...names, "gm/noise"]),
    line("handshake, ms", [...shake, String(gmAgainstNoise.handshake)]),
    line("handshakes a second", perSecond),
    ...sizes.map((size) =>
      line(`${size} bytes, MiB/s`, [
        ...names.map((name) => String(suites[name].mebibytesPerSecond[size])),
        String(gmAgainstNoise.message[size]),
      ]),
    ),
  ].join("\n");
}
