import type { RevocationList } from "@credlink/crypto";
import { addressFromPublicKey, systemRandom, taggedSm3 } from "@credlink/crypto";
import type { Member, TransportName } from "@credlink/ledger";
import { type Digest, fromHex, type PeerId, type Random, toHex, utf8 } from "@credlink/primitives";
import type { PrivateKey } from "@libp2p/interface";
import { createNetwork } from "../../src/p2p/create-network.ts";
import { createIdentityJudge, type RegistryView } from "../../src/p2p/identity.ts";
import type { NetworkOptions } from "../../src/p2p/network-parts.ts";
import { NonceMemory } from "../../src/p2p/nonce-memory.ts";
import { generatePeerKey, peerIdOf } from "../../src/p2p/peer-key.ts";
import { PeerWatch } from "../../src/p2p/peer-watch.ts";
import { systemClock } from "../../src/system-clock.ts";
import {
  type Authority,
  type Credential,
  createAuthority,
  createCredential,
  createRoot,
  memberOf,
} from "./consortium.ts";
import { createRecordingLogger, createRecordingMetrics } from "./recording.ts";
import { usedTransport } from "./transport.ts";

/** A consortium of one root and one organisation, and the registry all its nodes share. */
export interface TestChain {
  readonly root: Authority;
  readonly authority: Authority;
  readonly chainId: string;
  readonly genesisDigest: Digest;
  readonly members: Map<string, Member>;
  readonly validatorPeers: Map<string, PeerId>;
  readonly revocationLists: { current: readonly RevocationList[] };
  headProven: boolean;
  /** How its nodes encrypt; default what the test file uses. */
  transport: TransportName;
}

export async function createTestChain(
  chainId = "test-chain",
  transport: TransportName = usedTransport(),
): Promise<TestChain> {
  const root = await createRoot();
  return {
    root,
    authority: await createAuthority(root, "Org One"),
    chainId,
    genesisDigest: taggedSm3("credlink/genesis/1", utf8(chainId)),
    members: new Map(),
    validatorPeers: new Map(),
    revocationLists: { current: [] },
    headProven: true,
    transport,
  };
}

export function register(chain: TestChain, credential: Credential, change: Partial<Member> = {}) {
  const member = memberOf(credential, "validator", change);
  chain.members.set(toHex(member.address), member);
}

function registryOf(chain: TestChain): RegistryView {
  return {
    memberOfKey: (key) =>
      [...chain.members.values()].find(({ keys }) =>
        keys.some(({ publicKey }) => toHex(publicKey) === toHex(key)),
      ) ?? null,
    validatorPeerId: (key) => chain.validatorPeers.get(toHex(key)) ?? null,
    validatorKeys: (peer) =>
      [...chain.validatorPeers].filter(([, id]) => id === peer).map(([key]) => fromHex(key)),
    isHeadProven: () => chain.headProven,
    headHeight: () => 0,
    headTimestampMs: () => Date.now(),
  };
}

export type NodeChange = {
  readonly credential?: Credential;
  readonly signer?: Credential;
  readonly peerKey?: PrivateKey;
  readonly chain?: Partial<Pick<TestChain, "chainId" | "genesisDigest">>;
  readonly options?: Partial<NetworkOptions>;
  /** Default: the chain's. */
  readonly transport?: TransportName;
  /** Asked whenever it counts. */
  readonly maxConnections?: () => number;
  readonly random?: Random;
  /** Default: everybody is one. */
  readonly isValidator?: (peer: PeerId) => boolean;
};

export const testLimits = { maxFailures: 100, windowMs: 60_000, banMs: 60_000 };

/** Wide enough to be in no test's way; one that is about them sets its own. */
export const testAdmission = {
  perPeer: testLimits,
  perAddress: testLimits,
  pending: { total: 100, perAddress: 100 },
  handshakeTimeoutMs: 5_000,
};

/** A real network on loopback with a certificate of the chain's organisation, not started. */
export async function createTestNode(chain: TestChain, name: string, change: NodeChange = {}) {
  const credential =
    change.credential ?? (await createCredential(chain.authority, name, "validator"));
  if (change.credential === undefined) register(chain, credential);
  const peerKey = change.peerKey ?? (await generatePeerKey());
  const logger = createRecordingLogger();
  const metrics = createRecordingMetrics();
  const judge = createIdentityJudge({
    anchors: {
      roots: [chain.root.certificate],
      authorities: [chain.authority.certificate],
      revocationLists: () => chain.revocationLists.current,
    },
    registry: registryOf(chain),
    clock: systemClock,
  });
  const isValidator = change.isValidator ?? (() => true);
  const peerWatch = new PeerWatch({ clock: systemClock, metrics, isValidator });
  const network = await createNetwork(
    {
      transport: change.transport ?? chain.transport,
      listen: ["/ip4/127.0.0.1/tcp/0"],
      announce: [],
      peers: [],
      admission: testAdmission,
      dialSchedule: { firstDelayMs: 50, maxDelayMs: 500, politeDelayMs: 0 },
      dialTimeoutMs: 5_000,
      silenceMs: 60_000,
      misbehaviourBanMs: 60_000,
      queue: { maxMessages: 1_000, maxBytes: 64 * 1024 * 1024 },
      ...change.options,
      get maxConnections() {
        return change.maxConnections?.() ?? 50;
      },
    },
    {
      peerKey,
      admission: {
        chainId: change.chain?.chainId ?? chain.chainId,
        genesisDigest: change.chain?.genesisDigest ?? chain.genesisDigest,
        certificates: [credential.certificate.der, chain.authority.certificate.der],
        signer: (change.signer ?? credential).signer,
        judge,
        nonces: new NonceMemory(),
        random: change.random ?? systemRandom,
        clock: systemClock,
      },
      isValidator,
      peerWatch,
      clock: systemClock,
      random: systemRandom,
      logger,
      metrics,
    },
  );
  const address = addressFromPublicKey(credential.publicKey);
  return {
    network,
    peerWatch,
    logger,
    metrics,
    credential,
    peerKey,
    peerId: peerIdOf(peerKey),
    address,
  };
}

export type TestNode = Awaited<ReturnType<typeof createTestNode>>;

/** Waits for a condition, at most ten seconds. */
export async function until(condition: () => boolean, what = "condition"): Promise<void> {
  const end = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
