import type { TransportName } from "@credlink/ledger";
import { assertNever } from "@credlink/primitives";
import { tcp } from "@libp2p/tcp";
import { createLibp2p } from "libp2p";
import type { AdmissionContext } from "./admission.ts";
import { type AdmissionObserver, admissionEncrypter } from "./admission-encrypter.ts";
import { Gatekeeper } from "./gatekeeper.ts";
import { createGmSuite } from "./gm/gm-suite.ts";
import { NodeNetwork } from "./libp2p-network.ts";
import { networkMetrics } from "./metrics.ts";
import type { Libp2pNetwork, NetworkComponents, NetworkOptions } from "./network-parts.ts";
import { noiseSuite } from "./noise-channel.ts";
import { otherTransportRefuser } from "./other-transport.ts";
import { PeerTable } from "./peer-table.ts";
import type { TransportSuite } from "./secure-channel.ts";
import { silentComponentLogger } from "./silent-logger.ts";
import { createStreamMuxer } from "./stream-muxer.ts";

/** Connections that libp2p may hold beyond those whose handshakes we let begin. */
const LIBRARY_SLACK = 64;
/** Beyond every limit that can be configured. */
const LIBRARY_MAX_CONNECTIONS = 20_000_000;

/** @throws CryptoError CRYPTO_AGREEMENT_UNUSABLE where this Node.js cannot do it */
function transportSuite(name: TransportName, components: NetworkComponents): TransportSuite {
  switch (name) {
    case "noise":
      return noiseSuite;
    case "gm": {
      const broken = components.metrics.counter(networkMetrics.brokenChannels);
      return createGmSuite({
        chainId: components.admission.chainId,
        onBroken: (error) => {
          broken.add(1);
          components.logger.warn("channel broken", { reason: String(error) });
        },
      });
    }
    default:
      return assertNever(name);
  }
}

/** Makes the network; nothing is opened before `start`. */
export async function createNetwork(
  options: NetworkOptions,
  components: NetworkComponents,
): Promise<Libp2pNetwork> {
  const limit = {
    max: () => options.maxConnections,
    outbound: () => outbound(),
  };
  let outbound = (): number => 0;
  const gatekeeper = new Gatekeeper(options.admission, limit, components);
  const table = new PeerTable();
  let announced: () => readonly string[] = () => [];
  const context: AdmissionContext = {
    ...components.admission,
    bannedForMs: (peer) => gatekeeper.bannedForMs(peer),
    announcedAddresses: () => announced(),
  };
  const observer: AdmissionObserver = {
    onStarted: gatekeeper.started,
    onAdmitted: (connection, role, admitted) => {
      components.metrics.counter(networkMetrics.admissions).add(1, { role });
      gatekeeper.admitted(connection);
      table.onAdmitted("remoteAddr" in connection ? connection.remoteAddr : "", admitted);
    },
    onRefused: gatekeeper.refused,
  };
  const { handshakeTimeoutMs } = options.admission;
  const suite = transportSuite(options.transport, components);
  const libp2p = await createLibp2p({
    start: false,
    privateKey: components.peerKey,
    logger: silentComponentLogger,
    addresses: { listen: [...options.listen], announce: [...options.announce] },
    transports: [tcp({ dialOpts: { noDelay: true }, listenOpts: { noDelay: true } })],
    connectionEncrypters: [
      admissionEncrypter({ suite, context, handshakeTimeoutMs, observer }),
      // After the suite's own name: dialers ask for the names in this order.
      otherTransportRefuser(observer),
    ],
    streamMuxers: [createStreamMuxer({ enableKeepAlive: true, keepAliveInterval: 15_000 })],
    connectionGater: { denyInboundConnection: (connection) => gatekeeper.denyInbound(connection) },
    connectionMonitor: { enabled: false },
    connectionManager: {
      // The limit is the gatekeeper's: the library would cut validators as readily as others.
      maxConnections: LIBRARY_MAX_CONNECTIONS,
      inboundUpgradeTimeout: handshakeTimeoutMs,
      inboundConnectionThreshold: 200,
      // The gatekeeper's limit comes first; this one would close connections uncounted.
      maxIncomingPendingConnections: options.admission.pending.total + LIBRARY_SLACK,
      reconnectRetries: 0,
    },
  });
  outbound = () => libp2p.getConnections().filter((each) => each.direction === "outbound").length;
  announced = () =>
    libp2p
      .getMultiaddrs()
      .map((address) => String(address).split("/p2p/")[0] ?? "")
      .filter((address) => address !== "" && address.length <= 256)
      .slice(0, 8);
  return new NodeNetwork(options, components, libp2p, gatekeeper, table);
}
