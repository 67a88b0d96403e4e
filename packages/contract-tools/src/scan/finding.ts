import type { Location } from "./flow.ts";
import type { Severity } from "./rules.ts";

/** Where a finding stands: code, or a field of the manifest. */
export type FindingLocation = Location | { readonly kind: "manifest"; readonly field: string };

/** What a pattern found, before it is put under its rule. */
export interface Match {
  readonly at: FindingLocation;
  /** What makes this place one of the rule's, for example the method's or value's name. */
  readonly detail: string;
}

/** One finding of a scan. */
export interface Finding extends Match {
  readonly ruleId: string;
  readonly severity: Severity;
  readonly title: string;
  readonly remedy: string;
}

/** `file:line:column`, `function+offset`, or the manifest's field. */
export function describeLocation(at: FindingLocation): string {
  switch (at.kind) {
    case "source":
      return `${at.file}:${at.line}:${at.column}`;
    case "module":
      return `${at.functionName}+0x${at.offset.toString(16)}`;
    case "manifest":
      return `contract.json: ${at.field}`;
  }
}

/** One line as people read it. */
export function describeFinding({ at, severity, ruleId, title, detail }: Finding): string {
  return `${describeLocation(at)}: ${severity} ${ruleId}: ${title} (${detail})`;
}
