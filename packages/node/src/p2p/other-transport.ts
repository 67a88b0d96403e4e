import type { ConnectionEncrypter, MessageStream } from "@libp2p/interface";
import type { AdmissionObserver } from "./admission-encrypter.ts";
import type { AdmissionRole } from "./admission-messages.ts";
import { refusedByUs } from "./handshake-channel.ts";

/**
 * A name that every node offers after its own suite's. Two nodes of one suite agree on that one's
 * name first; two nodes of different suites find this one in common, and both know why they part.
 */
export const OTHER_TRANSPORT_PROTOCOL = "/credlink/admission-other-transport/1";

/** Refuses whoever speaks none of our suite: nothing is sent, nothing is read. */
export function otherTransportRefuser(observer: AdmissionObserver): () => ConnectionEncrypter {
  const refuse = async (role: AdmissionRole, connection: MessageStream): Promise<never> => {
    const code = "NODE_ADMISSION_WRONG_TRANSPORT";
    const detail = "no transport suite in common";
    observer.onStarted(connection);
    observer.onRefused(connection, { role, peerId: undefined, code, by: "us", detail });
    throw refusedByUs(code, detail);
  };
  return () => ({
    protocol: OTHER_TRANSPORT_PROTOCOL,
    secureInbound: (connection) => refuse("listener", connection),
    secureOutbound: (connection) => refuse("dialer", connection),
  });
}
