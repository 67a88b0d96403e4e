import {
  CREDENTIAL_CONTRACT,
  credentialKey,
  type PublicField,
  publicFieldsCodec,
  publicFieldsKey,
} from "@credlink/contracts";
import type { Client } from "./client.ts";
import { type ProvenCredential, readStored } from "./credentials.ts";
import { decodeClaim } from "./header-claims.ts";

/** What is published of a credential in clear, under one certified head. */
export interface ProvenPublicData {
  readonly credential: ProvenCredential;
  /** In the schema's order; none: nothing is published. */
  readonly fields: readonly PublicField[];
}

/** Published fields of a credential, proven; null when there is no such credential. */
export async function getPublicData(
  client: Client,
  id: Uint8Array,
): Promise<ProvenPublicData | null> {
  const keys = [credentialKey(id), publicFieldsKey(id)];
  const { values, header } = await client.getStates(
    keys.map((key) => ({ contract: CREDENTIAL_CONTRACT, key })),
  );
  const [stored, published] = values.map(({ value }) => value);
  if (stored === undefined || stored === null) return null;
  const fields =
    published === undefined || published === null
      ? []
      : decodeClaim(publicFieldsCodec, published, "published fields");
  return { credential: { stored: readStored(id, stored), header }, fields };
}
