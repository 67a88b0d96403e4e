import { addressFromPublicKey, formatAddress, taggedSm3 } from "@credlink/crypto";
import { type Address, fromHex, type Signer, toHex } from "@credlink/primitives";
import { clientError } from "./errors.ts";
import type { Rpc } from "./rpc.ts";

/** Domain of a login's signature. @see docs/protocol/rpc.md */
export const SESSION_DOMAIN = "credlink/session/1";

/** A member: who signs, and under which address. */
export interface Identity {
  readonly address: Address;
  readonly signer: Signer;
}

/**
 * A member by its signer. `address` must be given when the member's key was rotated: the address
 * is that of the first key.
 */
export function createIdentity(signer: Signer, address?: Address): Identity {
  return { signer, address: address ?? addressFromPublicKey(signer.publicKey) };
}

/** What a login signs: binds the answer to the chain, the challenge and the member. */
export function sessionMessage(
  genesisDigest: Uint8Array,
  challenge: Uint8Array,
  member: Address,
): Uint8Array {
  return taggedSm3(SESSION_DOMAIN, genesisDigest, challenge, member);
}

/** Holds one session token and renews it before it ends. */
export interface Session {
  /** A token that is good now. @throws ClientError CLIENT_KEY_MISSING */
  token(): Promise<string>;
  /** Forgets the token, because the gateway refused it. */
  drop(token: string): void;
}

/** A token this close to its end is renewed first, milliseconds. */
const RENEW_BEFORE_MS = 10_000;

/** Logs in by SM2 challenge when a token is needed; callers at the same time share one login. */
export function createSession(
  rpc: Rpc,
  identity: Identity | undefined,
  genesisDigest: () => Uint8Array,
  nowMs: () => number,
): Session {
  let current: { readonly token: string; readonly renewAtMs: number } | undefined;
  let login: Promise<string> | undefined;
  async function logIn(member: Identity): Promise<string> {
    const address = formatAddress(member.address);
    const { challenge } = await rpc.call("session.challenge", { address });
    const message = sessionMessage(genesisDigest(), fromHex(challenge), member.address);
    const signature = toHex(await member.signer.sign(message));
    const issued = await rpc.call("session.login", { address, challenge, signature });
    const lifeMs = issued.expiresAtMs - nowMs();
    const marginMs = Math.min(RENEW_BEFORE_MS, lifeMs / 2);
    current = { token: issued.token, renewAtMs: issued.expiresAtMs - marginMs };
    return issued.token;
  }
  return {
    async token() {
      if (identity === undefined) throw clientError("CLIENT_KEY_MISSING", "no key was given");
      if (current !== undefined && nowMs() < current.renewAtMs) return current.token;
      login ??= logIn(identity).finally(() => {
        login = undefined;
      });
      return login;
    },
    drop(token) {
      if (current?.token === token) current = undefined;
    },
  };
}
