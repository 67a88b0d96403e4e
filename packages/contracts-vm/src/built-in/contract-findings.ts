import type { ScanDeclaration } from "@credlink/ledger";
import {
  bool,
  type Codec,
  type Digest,
  digestCodec,
  encode,
  equalBytes,
  struct,
} from "@credlink/primitives";
import { adminOrganizations, isMajority } from "./authority.ts";
import { type BuiltInCall, refuseCall } from "./built-in.ts";
import { type DeclaredScan, type InstalledContract, organizationNamesCodec, rows } from "./rows.ts";

/*
 * Findings of a scan. Scans are not run on chain: each organisation declares, with its signature,
 * what its own came to, and the chain holds approvals to what was declared.
 */

/** Arguments of `contracts.acceptFindings` and `.findings`: SM3 of a module. */
export interface CodeDigestArgs {
  readonly codeDigest: Digest;
}
export const codeDigestArgsCodec: Codec<CodeDigestArgs> = struct({ codeDigest: digestCodec });

/** Who accepts what a scan found in a module, and whether they are enough. */
export interface AcceptedFindings {
  readonly organizations: readonly string[];
  readonly isAccepted: boolean;
}
export const acceptedFindingsCodec: Codec<AcceptedFindings> = struct({
  organizations: organizationNamesCodec,
  isAccepted: bool,
});

/** Puts on record that organisations accept a module in spite of what a scan found in it. */
export function acceptFindings({ codeDigest }: CodeDigestArgs, call: BuiltInCall): undefined {
  const row = rows.acceptedFindings(codeDigest);
  const known = call.state.read(row) ?? [];
  const all = [...new Set([...known, ...adminOrganizations(call)])];
  if (all.length === known.length) refuseCall("CONTRACTS_ALREADY_APPROVED");
  call.state.write(row, all);
}

/** Who accepted, and whether they are more than half of the organisations. */
export function findings({ codeDigest }: CodeDigestArgs, call: BuiltInCall): Uint8Array {
  return encode(acceptedFindingsCodec, readAccepted(codeDigest, call));
}

function readAccepted(codeDigest: Digest, call: BuiltInCall): AcceptedFindings {
  const organizations = call.state.read(rows.acceptedFindings(codeDigest)) ?? [];
  return { organizations, isAccepted: isMajority(call, organizations) };
}

/** Ends a call that would let a module with high findings pass which a majority did not accept. */
export function requireNoHighFindings(
  codeDigest: Digest,
  scans: readonly ScanDeclaration[],
  call: BuiltInCall,
): void {
  if (scans.every(({ high }) => high === 0)) return;
  if (!readAccepted(codeDigest, call).isAccepted) refuseCall("CONTRACTS_FINDINGS_HIGH");
}

type Version = Pick<InstalledContract, "name" | "version">;

/**
 * Notes what the signing organisations declare of a version, in the place of what they declared
 * before. Returns whether that is anything new.
 */
export function declareScan(
  { name, version }: Version,
  scan: ScanDeclaration,
  call: BuiltInCall,
): boolean {
  const row = rows.scans(name, version);
  const known = call.state.read(row) ?? [];
  const signing = new Set(adminOrganizations(call));
  const same = known.filter((each) => signing.has(each.organization) && isSame(each, scan));
  if (same.length === signing.size) return false;
  const others = known.filter(({ organization }) => !signing.has(organization));
  const declared = [...signing].map((organization) => ({ organization, ...scan }));
  call.state.write(row, [...others, ...declared]);
  return true;
}

function isSame(a: ScanDeclaration, b: ScanDeclaration): boolean {
  return a.high === b.high && equalBytes(a.ruleSet, b.ruleSet) && equalBytes(a.report, b.report);
}

/** What those who approve a version declared of it. */
export function approvingScans(
  { name, version, approvals }: InstalledContract,
  call: BuiltInCall,
): readonly DeclaredScan[] {
  const scans = call.state.read(rows.scans(name, version)) ?? [];
  return scans.filter(({ organization }) => approvals.includes(organization));
}
