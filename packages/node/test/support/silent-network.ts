import type { Network } from "@credlink/primitives";

/** A network without peers; what is cut is told. */
export function createSilentNetwork(
  self: string,
  onCut: (peer: string, code: string) => void,
): Network {
  return {
    self,
    peers: () => [],
    send: () => {},
    request: async () => new Uint8Array(0),
    onMessage: () => {},
    onRequest: () => {},
    onPeerChange: () => {},
    disconnect: onCut,
  };
}
