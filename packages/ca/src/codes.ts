import { codeKey, codeKeyOfProof, storedCode } from "@credlink/client";
import { equalSecrets, systemRandom } from "@credlink/crypto";
import { fromHex, toHex } from "@credlink/primitives";
import { CaError } from "./errors.ts";
import type { Act } from "./folder.ts";

/** Crockford's base 32: no letters that are mistaken for others. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/** 100 bits: nobody guesses one, nor finds it from its digest. */
const CODE_CHARACTERS = 20;
const GROUP = 5;
const ID_BYTES = 8;
/** Wrong proofs after which a code is dead. */
export const MAX_CODE_ATTEMPTS = 5;
/** Longest validity of a code, milliseconds. */
export const MAX_CODE_VALIDITY_MS = 90 * 86_400_000;

/** A code as its operator hands it on: over another channel than the service's. */
export interface IssuedCode {
  readonly id: string;
  readonly code: string;
  readonly endsMs: number;
}

function drawCode(): string {
  const characters = [...systemRandom.bytes(CODE_CHARACTERS)].map((byte) => ALPHABET[byte & 31]);
  const groups = Array.from({ length: CODE_CHARACTERS / GROUP }, (_, index) =>
    characters.slice(index * GROUP, (index + 1) * GROUP).join(""),
  );
  return groups.join("-");
}

/**
 * Makes a one-time code for the renewal of the certificate in force under a name. It takes the place of
 * an earlier one for that name. The database gets only what checks it.
 * @throws CaError CA_SERIAL_UNKNOWN, CA_CODE_VALIDITY, CA_WRITE_FAILED
 */
export async function issueCode(act: Act, name: string, validMs: number): Promise<IssuedCode> {
  if (act.state.inForce(name, act.nowMs) === undefined) {
    throw new CaError("CA_SERIAL_UNKNOWN", `none in force for ${name}`);
  }
  if (!(validMs >= 1_000) || validMs > MAX_CODE_VALIDITY_MS) {
    throw new CaError("CA_CODE_VALIDITY", `${validMs} ms`);
  }
  const code = drawCode();
  const id = toHex(systemRandom.bytes(ID_BYTES));
  const endsMs = act.nowMs + validMs;
  const stored = toHex(storedCode(codeKey(name, code)));
  await act.record({ type: "code", id, for: name, stored, endsMs });
  return { id, code, endsMs };
}

/**
 * Checks the proof of the open code for a name, in constant time. A wrong one is recorded before
 * it is refused, so that attempts are counted across restarts.
 * @returns the code's id, to be used up by what it approves
 * @throws CaError CA_CODE_REQUIRED, CA_CODE_WRONG, CA_WRITE_FAILED
 */
export async function checkCode(
  act: Act,
  name: string,
  proof: Uint8Array,
  payload: Uint8Array,
): Promise<string> {
  const open = act.state.openCode(name);
  if (open === undefined) throw new CaError("CA_CODE_REQUIRED", `no open code for ${name}`);
  if (act.nowMs >= open.endsMs) throw new CaError("CA_CODE_REQUIRED", "the code has ended");
  if (open.failures >= MAX_CODE_ATTEMPTS) {
    throw new CaError("CA_CODE_REQUIRED", "too many wrong proofs");
  }
  const stored = fromHex(open.stored);
  const isRight = equalSecrets(storedCode(codeKeyOfProof(stored, proof, payload)), stored);
  if (isRight) return open.id;
  await act.record({ type: "code-failed", id: open.id });
  const left = MAX_CODE_ATTEMPTS - open.failures - 1;
  throw new CaError("CA_CODE_WRONG", `${left} attempts are left`);
}
