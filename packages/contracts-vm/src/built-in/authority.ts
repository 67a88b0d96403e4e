import { type BuiltInCall, refuseCall } from "./built-in.ts";
import type { BuiltInErrorCode } from "./errors.ts";
import { rows } from "./rows.ts";

/** Organisations whose admins are among the signers, in order of signing. */
export function adminOrganizations(call: BuiltInCall): readonly string[] {
  const names = call.signers
    .filter(({ role }) => role === "admin")
    .map(({ organization }) => organization);
  return [...new Set(names)];
}

/** Whether `organizations`, each named once, are more than half of the consortium's. */
export function isMajority(call: BuiltInCall, organizations: readonly string[]): boolean {
  const all = call.state.read(rows.organizationNames) ?? [];
  const counted = organizations.filter((name) => all.includes(name));
  return counted.length * 2 > all.length;
}

/** Ends a call with `code` unless admins of more than half of the organisations signed it. */
export function requireMajority(call: BuiltInCall, code: BuiltInErrorCode): void {
  if (!isMajority(call, adminOrganizations(call))) refuseCall(code);
}
