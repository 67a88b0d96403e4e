import type { Digest } from "@credlink/primitives";
import { type BuiltContract, buildContract } from "./build/build.ts";
import { encodePackage, packageDigest, packageOf } from "./build/package.ts";
import { type ContractProject, isForeign } from "./build/project.ts";
import { ContractToolsError } from "./errors.ts";
import { highOf } from "./judge-package.ts";
import { describeFinding } from "./scan/finding.ts";
import { loadRules } from "./scan/rules.ts";
import { type ScanReport, scanContract } from "./scan/scan.ts";

export interface PackageOptions {
  /** The project, compiled before; default: it is compiled now. */
  readonly built?: BuiltContract;
  /** Whether high findings are let pass, which governance alone can install; default false. */
  readonly withFindings?: boolean;
  readonly progress?: (text: string) => void;
}

/** A project as organisations get it, and what the scan found in it. */
export interface PackagedProject {
  readonly built: BuiltContract;
  readonly report: ScanReport;
  /** The one file that goes to those who install and approve. */
  readonly bytes: Uint8Array;
  readonly packageDigest: Digest;
}

/**
 * Compiles a project, scans it by its sources and makes its package.
 *
 * ```ts
 * const { bytes, report } = await packageProject(loadProject("work-orders"));
 * ```
 *
 * @throws ContractToolsError TOOLS_FINDINGS_HIGH, TOOLS_PACKAGE_TOO_LARGE, and what
 *   `buildContract` throws
 */
export async function packageProject(
  project: ContractProject,
  { built: known, withFindings = false, progress = () => {} }: PackageOptions = {},
): Promise<PackagedProject> {
  const built = known ?? (await compiled(project, progress));
  progress("scanning");
  const { manifest, sources: reader, description } = project;
  const sources = isForeign(project) ? null : { reader, entry: description.entry };
  const report = scanContract({ manifest, sources, code: built.code }, loadRules());
  const high = highOf(report);
  if (high.length > 0 && !withFindings) {
    throw new ContractToolsError("TOOLS_FINDINGS_HIGH", high.map(describeFinding).join("; "));
  }
  const bytes = encodePackage(packageOf(project, built));
  return { built, report, bytes, packageDigest: packageDigest(bytes) };
}

async function compiled(
  project: ContractProject,
  progress: (text: string) => void,
): Promise<BuiltContract> {
  progress(`compiling ${project.description.entry}`);
  return buildContract(project);
}
