import {
  type ArbitratorPanel,
  arbitratorPanelCodec,
  arbitratorsKey,
  type CaseTerms,
  CREDENTIAL_CONTRACT,
  caseHoldKey,
  caseTermsCodec,
  type VerdictTerms,
  verdictTermsCodec,
} from "@credlink/contracts";
import { encode } from "@credlink/primitives";
import type { Client } from "./client.ts";
import { credentialCall } from "./credential-calls.ts";
import { getCredential, getCredentials, type ProvenCredential } from "./credentials.ts";
import { clientError } from "./errors.ts";
import { type Executed, executeFor } from "./executed.ts";
import { decodeClaim, type VerifiedHeader } from "./header-claims.ts";

/** The registered arbitrators, proven; a threshold of 0 before any were named. */
export async function getArbitrators(
  client: Client,
): Promise<ArbitratorPanel & { readonly header: VerifiedHeader }> {
  const { value, header } = await client.getState(CREDENTIAL_CONTRACT, arbitratorsKey());
  const panel =
    value === null
      ? { threshold: 0, arbitrators: [] }
      : decodeClaim(arbitratorPanelCodec, value, "arbitrators");
  return { ...panel, header };
}

/** Names the arbitrators in the place of those before, and how many decide: by a regulator. */
export function setArbitrators(
  client: Client,
  panel: ArbitratorPanel,
): Promise<Executed<ArbitratorPanel>> {
  const call = credentialCall("setArbitrators", encode(arbitratorPanelCodec, panel));
  return executeFor(client, call, arbitratorPanelCodec);
}

/** A credential that a case is about. */
export interface CaseTarget {
  readonly credential: ProvenCredential;
  /** Whether this case holds it, alone or beside others. */
  readonly isHeld: boolean;
}

/** A case with what it is about and what became of it, each part proven. */
export interface ProvenCase {
  readonly credential: ProvenCredential;
  readonly terms: CaseTerms;
  /** Waits for a verdict. */
  readonly isOpen: boolean;
  readonly targets: readonly CaseTarget[];
  /** Null while it is open, and for a case that was taken back. */
  readonly verdict: { readonly credential: ProvenCredential; readonly terms: VerdictTerms } | null;
}

/**
 * A case, proven; null when it is proven absent.
 * @throws ClientError CLIENT_CREDENTIAL_TYPE when the credential is no case
 */
export async function getCase(client: Client, id: Uint8Array): Promise<ProvenCase | null> {
  const credential = await getCredential(client, id);
  if (credential === null) return null;
  const { record, standing } = credential.stored;
  if (record.type !== "arbitration.case" || record.terms === null) {
    throw clientError("CLIENT_CREDENTIAL_TYPE", `it is a ${record.type}, not a case`);
  }
  const about = record.parents
    .filter(({ relation }) => relation === "concerns")
    .map((parent) => parent.id);
  const proven = await getCredentials(client, about);
  const { values } = await client.getStates(
    about.map((target) => ({ contract: CREDENTIAL_CONTRACT, key: caseHoldKey(target, id) })),
  );
  return {
    credential,
    terms: decodeClaim(caseTermsCodec, record.terms, "terms of a case"),
    isOpen: standing.status === "active",
    targets: proven.map((each, place) => {
      return { credential: each, isHeld: (values[place]?.value ?? null) !== null };
    }),
    verdict: standing.status === "closed" ? await verdictOf(client, standing.reason) : null,
  };
}

async function verdictOf(client: Client, id: Uint8Array | null): Promise<ProvenCase["verdict"]> {
  const credential = id === null ? null : await getCredential(client, id);
  const terms = credential?.stored.record.terms ?? null;
  if (credential === null || terms === null) {
    throw clientError("CLIENT_RECORD_ALTERED", "a closed case names its verdict");
  }
  return { credential, terms: decodeClaim(verdictTermsCodec, terms, "terms of a verdict") };
}
