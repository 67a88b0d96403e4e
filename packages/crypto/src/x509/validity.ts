/** Longest validity of a member's certificate: three years, leap day included. */
export const MAX_MEMBER_VALIDITY_MS = 1096 * 86_400_000;

/**
 * Whether a member's certificate lasts longer than any may. Ours are never issued so; those of
 * other software are judged by it.
 */
export function isValidTooLong(validity: {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}): boolean {
  return validity.notAfterMs - validity.notBeforeMs > MAX_MEMBER_VALIDITY_MS;
}
