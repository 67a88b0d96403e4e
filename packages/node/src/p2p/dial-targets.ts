import type { PeerId } from "@credlink/primitives";
import type { Dialer } from "./dialer.ts";

/** Addresses kept of a peer that others told of, the latest first. */
export const MAX_SUGGESTED_ADDRESSES = 8;

/**
 * Whose word an address is: the operator's, the peer's own, given in a handshake, or that of other
 * peers. The earlier ones are never replaced by the later ones.
 */
type Origin = "configured" | "learned" | "suggested";

/** Full multiaddresses by peer, as the operator configured them. */
type Configured = ReadonlyMap<PeerId, readonly string[]>;

/** Who is dialled whenever it is not connected, at which addresses, and on whose word. */
export class DialTargets {
  readonly #dialer: Dialer;
  readonly #configured: Configured;
  readonly #origins = new Map<PeerId, Origin>();
  /** What was told of suggested peers, full multiaddresses. */
  readonly #told = new Map<PeerId, readonly string[]>();

  constructor(dialer: Dialer, configured: Configured) {
    this.#dialer = dialer;
    this.#configured = configured;
  }

  start(): void {
    for (const [peer, addresses] of this.#configured) {
      this.#origins.set(peer, "configured");
      this.#dialer.setTarget(peer, addresses);
    }
    this.#dialer.start();
  }

  isConfigured(peer: PeerId): boolean {
    return this.#configured.has(peer);
  }

  /**
   * A peer proved itself and told its own addresses (without peer id): they replace what others told.
   * Only a validator is dialled from now on if it was not.
   */
  met(peer: PeerId, places: readonly string[], isValidator: boolean): void {
    const origin = this.#origins.get(peer);
    if (places.length === 0 || origin === "configured") return;
    if (origin === undefined && !isValidator) return;
    this.#origins.set(peer, isValidator ? "learned" : "suggested");
    const addresses = full(peer, places);
    if (isValidator) this.#told.delete(peer);
    else this.#told.set(peer, addresses);
    this.#dialer.setTarget(peer, addresses);
  }

  /** Validators that are none any more are dialled no more, unless they are configured. */
  forgetValidators(isValidator: (peer: PeerId) => boolean): void {
    for (const [peer, origin] of this.#origins) {
      if (origin === "learned" && !isValidator(peer)) this.#remove(peer);
    }
  }

  /** Whether a peer is dialled at addresses of its own as a validator. */
  isLearned(peer: PeerId): boolean {
    return this.#origins.get(peer) === "learned";
  }

  /** Others told of a peer that is not connected: one liar among them does not hide the true address. */
  suggest(peer: PeerId, places: readonly string[]): void {
    const origin = this.#origins.get(peer);
    if (places.length === 0 || (origin !== undefined && origin !== "suggested")) return;
    const known = this.#told.get(peer) ?? [];
    const addresses = [...new Set([...full(peer, places), ...known])];
    this.#origins.set(peer, "suggested");
    this.#told.set(peer, addresses.slice(0, MAX_SUGGESTED_ADDRESSES));
    this.#dialer.setTarget(peer, addresses.slice(0, MAX_SUGGESTED_ADDRESSES));
  }

  /** Ends what `suggest` began; whom the operator or the chain names stays. */
  forget(peer: PeerId): void {
    if (this.#origins.get(peer) === "suggested") this.#remove(peer);
  }

  #remove(peer: PeerId): void {
    this.#origins.delete(peer);
    this.#told.delete(peer);
    this.#dialer.removeTarget(peer);
  }
}

function full(peer: PeerId, places: readonly string[]): readonly string[] {
  return places.map((place) => `${place}/p2p/${peer}`);
}
