import { bool, type Codec, type Digest, digestCodec, encode, struct } from "@credlink/primitives";
import { adminOrganizations, isMajority } from "./authority.ts";
import { type BuiltInCall, refuseCall } from "./built-in.ts";
import { organizationNamesCodec, rows } from "./rows.ts";

/** Arguments of `contracts.acceptFindings` and `.findings`: SM3 of a package's bytes. */
export interface PackageDigestArgs {
  readonly packageDigest: Digest;
}
export const packageDigestArgsCodec: Codec<PackageDigestArgs> = struct({
  packageDigest: digestCodec,
});

/** Who accepts what a scan found in a package, and whether they are enough. */
export interface AcceptedFindings {
  readonly organizations: readonly string[];
  readonly isAccepted: boolean;
}
export const acceptedFindingsCodec: Codec<AcceptedFindings> = struct({
  organizations: organizationNamesCodec,
  isAccepted: bool,
});

/**
 * Puts on record that organisations accept a package in spite of what a scan found in it. Scans are
 * not run on chain: whoever signs installations and approvals asks for this record.
 */
export function acceptFindings({ packageDigest }: PackageDigestArgs, call: BuiltInCall): undefined {
  const row = rows.acceptedFindings(packageDigest);
  const known = call.state.read(row) ?? [];
  const all = [...new Set([...known, ...adminOrganizations(call)])];
  if (all.length === known.length) refuseCall("CONTRACTS_ALREADY_APPROVED");
  call.state.write(row, all);
}

/** Who accepted, and whether they are more than half of the organisations. */
export function findings({ packageDigest }: PackageDigestArgs, call: BuiltInCall): Uint8Array {
  const organizations = call.state.read(rows.acceptedFindings(packageDigest)) ?? [];
  const isAccepted = isMajority(call, organizations);
  return encode(acceptedFindingsCodec, { organizations, isAccepted });
}
