/**
 * Equality in a time that depends on the lengths alone, so that a peer cannot find a secret byte
 * by byte.
 */
export function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

/**
 * Overwrites secrets that are no longer needed. Copies that the engine, OpenSSL or the system made
 * are out of reach; docs/keys.md says which.
 */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0);
}
