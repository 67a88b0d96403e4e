import {
  CREDENTIAL_CONTRACT,
  credentialKey,
  decodeGrantTerms,
  type GrantAction,
  type GrantTerms,
  grantActionCode,
  grantUsesKey,
  useArgsCodec,
  usesAnswerCodec,
} from "@credlink/contracts";
import { encode } from "@credlink/primitives";
import type { Client } from "./client.ts";
import { credentialCall } from "./credential-calls.ts";
import { type ProvenCredential, readStored } from "./credentials.ts";
import { clientError } from "./errors.ts";
import { type Executed, executeFor } from "./executed.ts";
import { decodeClaim } from "./header-claims.ts";

/**
 * Whether a use would be taken at the head's time: before the beginning, after the end, after the
 * last use, or of one that is no longer active (revoked, held), it would be refused.
 */
export type GrantState = "usable" | "early" | "ended" | "used-up" | "inactive";

/** A grant with what is left of it, under one certified head. */
export interface ProvenGrant {
  readonly credential: ProvenCredential;
  readonly terms: GrantTerms;
  /** Ids of the credentials that it opens. */
  readonly targets: readonly Uint8Array[];
  readonly uses: number;
  /** Uses that are left; null: as often as the grantee likes. */
  readonly left: number | null;
  readonly state: GrantState;
}

/**
 * A grant, proven; null when it is proven absent.
 * @throws ClientError CLIENT_CREDENTIAL_TYPE when the credential is no grant
 */
export async function getGrant(client: Client, id: Uint8Array): Promise<ProvenGrant | null> {
  const keys = [credentialKey(id), grantUsesKey(id)];
  const { values, header } = await client.getStates(
    keys.map((key) => ({ contract: CREDENTIAL_CONTRACT, key })),
  );
  const [value, count] = values.map((each) => each.value);
  if (value === undefined || value === null) return null;
  const stored = readStored(id, value);
  const { record, standing } = stored;
  if (record.type !== "grant.access" || record.terms === null) {
    throw clientError("CLIENT_CREDENTIAL_TYPE", `it is a ${record.type}, not a grant`);
  }
  const terms = decodeGrantTerms(record.terms);
  const uses =
    count === undefined || count === null ? 0 : decodeClaim(usesAnswerCodec, count, "uses").count;
  const left = terms.maxUses === null ? null : Math.max(0, terms.maxUses - uses);
  const atMs = header.header.timestampMs;
  const state: GrantState =
    standing.status !== "active"
      ? "inactive"
      : atMs < record.validFromMs
        ? "early"
        : record.validToMs !== null && atMs >= record.validToMs
          ? "ended"
          : left === 0
            ? "used-up"
            : "usable";
  const targets = record.parents
    .filter(({ relation }) => relation === "grants")
    .map((parent) => parent.id);
  return { credential: { stored, header }, terms, targets, uses, left, state };
}

/** One use of a grant by its grantee: counted on chain before anything is handed out. */
export function useGrant(
  client: Client,
  use: {
    readonly grant: Uint8Array;
    readonly target: Uint8Array;
    readonly action: GrantAction;
    readonly purpose: string;
  },
): Promise<Executed<{ readonly count: number }>> {
  const args = encode(useArgsCodec, { ...use, action: grantActionCode(use.action) });
  return executeFor(client, credentialCall("use", args), usesAnswerCodec);
}
