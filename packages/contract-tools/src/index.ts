export * from "./build/build.ts";
export * from "./build/compile.ts";
export * from "./build/package.ts";
export * from "./build/project.ts";
export * from "./errors.ts";
export {
  type HighFindings,
  highOf,
  type JudgedPackage,
  judgePackage,
  packageTarget,
  scanDeclaration,
} from "./judge-package.ts";
export type { HostCall } from "./kit/host-call.ts";
export { type LocalCall, LocalChain } from "./kit/local-chain.ts";
export { runTests, type TestOutcome } from "./kit/run-tests.ts";
export { type Snapshot, Stepper } from "./kit/stepper.ts";
export { type Moment, type OnMoment, type Trace, traceCall } from "./kit/trace.ts";
export {
  type PackagedProject,
  type PackageOptions,
  packageProject,
} from "./package-project.ts";
export * from "./scan/finding.ts";
export * from "./scan/rules.ts";
export * from "./scan/sarif.ts";
export * from "./scan/scan.ts";
export { sdkTexts } from "./scan/sdk.ts";
export { describePlace, parseSources } from "./scan/source/parse.ts";
export { createProject, projectFiles } from "./template/new-project.ts";
export { defaultPolicy, type Policy, parsePolicy } from "./template/policy.ts";
