import { sm3 } from "@credlink/crypto";
import type { InstallContractArgs, ScanDeclaration } from "@credlink/ledger";
import { type Digest, digest, fromHex, utf8 } from "@credlink/primitives";
import {
  decodePackage,
  packageDigest,
  packagedManifest,
  packagedSources,
  rebuildPackage,
} from "./build/package.ts";
import { ContractToolsError } from "./errors.ts";
import { describeFinding, type Finding } from "./scan/finding.ts";
import { loadRules } from "./scan/rules.ts";
import { type ScanReport, type ScanTarget, scanContract } from "./scan/scan.ts";

/** Findings that block installation. */
export function highOf({ findings }: ScanReport): readonly Finding[] {
  return findings.filter(({ severity }) => severity === "high");
}

/**
 * A package as it is scanned: with its sources once they are proven to be those of its module.
 * @throws ContractToolsError TOOLS_PACKAGE_MALFORMED, TOOLS_SOURCE_DIFFERS
 */
export async function packageTarget(bytes: Uint8Array): Promise<ScanTarget> {
  const value = decodePackage(bytes);
  await rebuildPackage(value);
  const { entry, code } = value;
  const sources = entry === null ? null : { reader: packagedSources(value), entry };
  return { manifest: packagedManifest(value), sources, code };
}

/** A package that an organisation may sign: what `contracts.install` takes, and its digest. */
export interface JudgedPackage extends InstallContractArgs {
  readonly packageDigest: Digest;
}

/** What an organisation declares of a report, under its signature. */
export function scanDeclaration(report: ScanReport): ScanDeclaration {
  return {
    ruleSet: digest(fromHex(report.ruleSet)),
    report: digest(sm3(utf8(JSON.stringify(report)))),
    high: highOf(report).length,
  };
}

/** Whether high findings are refused that a majority has not accepted; `declare` signs for them. */
export type HighFindings = "refuse" | "declare";

/**
 * Compiles a package's sources again, scans it, and refuses one with high findings that governance
 * has not accepted on chain: what an organisation does before it installs or approves.
 *
 * @param isAccepted whether a majority put on record that it accepts the module's findings
 * @throws ContractToolsError TOOLS_PACKAGE_MALFORMED, TOOLS_SOURCE_DIFFERS, TOOLS_FINDINGS_HIGH
 */
export async function judgePackage(
  bytes: Uint8Array,
  isAccepted: (codeDigest: Digest) => Promise<boolean>,
  progress: (text: string) => void = () => {},
  highFindings: HighFindings = "refuse",
): Promise<JudgedPackage> {
  const { name, version, code, manifest } = decodePackage(bytes);
  progress("compiling the package's sources again");
  const target = await packageTarget(bytes);
  progress("scanning");
  const report = scanContract(target, loadRules());
  const high = highOf(report);
  const isRefused = highFindings === "refuse" && high.length > 0;
  if (isRefused && !(await isAccepted(digest(sm3(code))))) {
    throw new ContractToolsError("TOOLS_FINDINGS_HIGH", high.map(describeFinding).join("; "));
  }
  const scan = scanDeclaration(report);
  return { name, version, code, manifest, scan, packageDigest: packageDigest(bytes) };
}
