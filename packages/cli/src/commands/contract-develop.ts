import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import {
  type BuiltContract,
  buildContract,
  type ContractProject,
  createProject,
  defaultPolicy,
  describeFinding,
  highOf,
  isForeign,
  isPackage,
  loadProject,
  loadRules,
  packageProject as packageContract,
  packageTarget,
  parsePolicy,
  type RuleSet,
  type ScanReport,
  type ScanTarget,
  sarifOf,
  scanContract,
} from "@credlink/contract-tools";
import { type Manifest, manifestCodec } from "@credlink/contracts-vm";
import { toHex, tryDecode } from "@credlink/primitives";
import { readFileOf, readTextOf } from "../connection.ts";
import { CliError } from "../errors.ts";
import { type Answer, exitCodes } from "../output.ts";
import { renderFields } from "./read.ts";

export interface ScanOptions {
  readonly manifest?: string;
  readonly sarif?: string;
  readonly listRules?: boolean;
}

/** Tells people what is going on. */
export type Progress = (text: string) => void;

/** Compiles a project and judges the module as a node does. */
export async function buildProject(
  dir: string,
  options: { readonly debug?: boolean },
  progress: Progress,
): Promise<Answer> {
  const project = loadProject(dir);
  progress(`compiling ${project.description.entry}`);
  const built = await buildContract(project, { debug: options.debug ?? false });
  const value = { ...summaryOf(built), files: writeBuilt(project, built) };
  return { value, text: renderFields(value) };
}

/** Makes a project in a new or empty folder. */
export function newProject(name: string, options: { dir?: string; policy?: string }): Answer {
  const text = options.policy === undefined ? defaultPolicy(name) : readTextOf(options.policy);
  const { contract, version } = parsePolicy(text);
  if (contract !== name) {
    throw new CliError("CLI_OPTIONS_CONFLICT", `the policy is of ${contract}, not of ${name}`);
  }
  const dir = options.dir ?? name;
  const files = createProject(dir, text);
  const value = { name, version, dir, files };
  return { value, text: `${name}@${version} in ${dir}: ${files.length} files` };
}

function summaryOf({ name, version, code, codeDigest }: BuiltContract) {
  return { name, version, codeBytes: code.length, codeDigest: toHex(codeDigest) };
}

/** Writes what was built into build/, and says where. */
function writeBuilt(project: ContractProject, built: BuiltContract): readonly string[] {
  const folder = join(project.dir, "build");
  mkdirSync(folder, { recursive: true });
  const contents: readonly (readonly [string, Uint8Array | string | null])[] = [
    [`${built.name}.wasm`, built.code],
    [`${built.name}.manifest`, built.manifest],
    [`${built.name}.json`, built.description],
    [`${built.name}.wasm.map`, built.sourceMap],
  ];
  return contents.flatMap(([name, content]) => {
    if (content === null) return [];
    const path = join(folder, name);
    writeFileSync(path, content);
    return [relative(project.dir, path)];
  });
}

/** Judges what stands at a path by the rules. */
export async function scanPath(
  path: string,
  options: ScanOptions,
  progress: Progress,
): Promise<Answer> {
  const ruleSet = loadRules();
  if (options.listRules === true) return listRules(ruleSet);
  progress(`scanning ${path}`);
  const report = scanContract(await targetOf(path, options.manifest), ruleSet);
  if (options.sarif !== undefined) {
    writeFileSync(options.sarif, `${JSON.stringify(sarifOf(report, ruleSet), null, 2)}\n`);
  }
  return answerOf(report);
}

function listRules({ rules, digest }: RuleSet): Answer {
  const lines = rules.map(({ severity, id, title }) => `${severity.padEnd(6)} ${id}: ${title}`);
  return { value: { ruleSet: digest, rules }, text: lines.join("\n") };
}

function answerOf(report: ScanReport): Answer {
  const { findings } = report;
  const lines = findings.map((each) => `${describeFinding(each)}\n    ${each.remedy}`);
  const summary = `${report.contract}: ${findings.length} findings, ${highOf(report).length} high`;
  const exitCode = highOf(report).length > 0 ? exitCodes.unverified : exitCodes.done;
  return { value: report, text: [...lines, summary].join("\n"), exitCode };
}

/** What is to be scanned at a path. A package's sources are compiled and compared first. */
async function targetOf(path: string, manifestPath: string | undefined): Promise<ScanTarget> {
  if (existsSync(path) && statSync(path).isDirectory()) {
    const project = loadProject(path);
    const { manifest, sources: reader } = project;
    if (isForeign(project)) {
      const { code } = await buildContract(project);
      return { manifest, sources: null, code };
    }
    return { manifest, sources: { reader, entry: project.description.entry }, code: null };
  }
  const bytes = readFileOf(path);
  if (isPackage(bytes)) return packageTarget(bytes);
  if (manifestPath === undefined) {
    throw new CliError("CLI_OPTIONS_CONFLICT", "a module is scanned with its --manifest");
  }
  return { manifest: readManifest(manifestPath), sources: null, code: bytes };
}

function readManifest(path: string): Manifest {
  const bytes = readFileOf(path);
  if (path.endsWith(".json")) return loadProject(join(path, "..")).manifest;
  const decoded = tryDecode(manifestCodec, bytes);
  if (!decoded.ok) throw new CliError("CLI_FILE_MALFORMED", `${path}: no manifest`);
  return decoded.value;
}

/** Builds, scans, and writes a package. */
export async function packageProject(
  dir: string,
  options: { readonly out?: string; readonly withFindings?: boolean },
  progress: Progress,
): Promise<Answer> {
  const project = loadProject(dir);
  progress(`compiling ${project.description.entry}`);
  const built = await buildContract(project);
  writeBuilt(project, built);
  const { withFindings = false } = options;
  const packaged = await packageContract(project, { built, withFindings, progress });
  const { bytes, report } = packaged;
  const file = options.out ?? join(dir, "build", `${built.name}-${built.version}.clpkg`);
  writeFileSync(file, bytes);
  const value = {
    ...summaryOf(built),
    file,
    bytes: bytes.length,
    packageDigest: toHex(packaged.packageDigest),
    findings: report.findings.length,
    high: highOf(report).length,
  };
  return { value, text: renderFields(value) };
}
