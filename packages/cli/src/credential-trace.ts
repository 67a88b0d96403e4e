import type { Client, VerifiedHeader } from "@credlink/client";
import {
  CREDENTIAL_CONTRACT,
  type CredentialParent,
  credentialKey,
  type StoredCredential,
  storedCredentialCodec,
} from "@credlink/contracts";
import { decode, toHex } from "@credlink/primitives";
import { CliError } from "./errors.ts";

/** A credential whose record was proven under a certified header. */
export interface ProvenCredential {
  readonly stored: StoredCredential;
  readonly header: VerifiedHeader;
}

/** One step of a trace. */
export interface TraceStep extends ProvenCredential {
  /** Steps from the credential asked for. */
  readonly depth: number;
  readonly parents: readonly CredentialParent[];
}

/** Most credentials that one trace follows. */
const MAX_STEPS = 4_096;

/** A credential by its id, proven; null when it is proven absent. */
export async function getCredential(
  client: Client,
  id: Uint8Array,
): Promise<ProvenCredential | null> {
  const { value, header } = await client.getState(CREDENTIAL_CONTRACT, credentialKey(id));
  if (value === null) return null;
  return { stored: decode(storedCredentialCodec, value), header };
}

/**
 * Everything that a credential rests on, up to the identities: breadth first, each once, each
 * proven by its own state proof.
 *
 * @throws CliError CLI_NOT_FOUND when the credential, or one that it names, is proven absent.
 */
export async function traceCredential(
  client: Client,
  id: Uint8Array,
): Promise<readonly TraceStep[]> {
  const steps: TraceStep[] = [];
  const seen = new Set<string>([toHex(id)]);
  let level: readonly Uint8Array[] = [id];
  for (let depth = 0; level.length > 0; depth += 1) {
    const found = await Promise.all(level.map((each) => getCredential(client, each)));
    const next: Uint8Array[] = [];
    for (const [index, credential] of found.entries()) {
      if (credential === null) {
        throw new CliError("CLI_NOT_FOUND", `credential ${toHex(level[index] ?? id)}`);
      }
      const { parents } = credential.stored.record;
      steps.push({ ...credential, depth, parents });
      for (const parent of parents) {
        const key = toHex(parent.id);
        if (seen.has(key)) continue;
        seen.add(key);
        next.push(parent.id);
      }
    }
    if (seen.size > MAX_STEPS)
      throw new CliError("CLI_USAGE", `more than ${MAX_STEPS} credentials`);
    level = next;
  }
  return steps;
}
