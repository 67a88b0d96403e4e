import type { Finding, FindingLocation } from "./finding.ts";
import type { RuleSet, Severity } from "./rules.ts";
import type { ScanReport } from "./scan.ts";

const levels: Readonly<Record<Severity, "error" | "warning" | "note">> = {
  high: "error",
  medium: "warning",
  low: "note",
};
/** What GitHub and others read as a rule's rank, 0 to 10. */
const ranks: Readonly<Record<Severity, string>> = { high: "8.0", medium: "5.0", low: "2.0" };

/**
 * A report as one SARIF log, for editors and review tools.
 * @see OASIS SARIF 2.1.0, §3.13
 */
export function sarifOf(report: ScanReport, { rules }: RuleSet): object {
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "credlink contract scan",
            semanticVersion: "0.1.0",
            rules: rules.map((rule) => ({
              id: rule.id,
              shortDescription: { text: rule.title },
              fullDescription: { text: rule.description },
              help: { text: rule.remedy },
              defaultConfiguration: { level: levels[rule.severity] },
              properties: {
                tags: ["security", ...rule.references],
                "security-severity": ranks[rule.severity],
              },
            })),
          },
        },
        properties: { contract: report.contract, ruleSet: report.ruleSet },
        columnKind: "utf16CodeUnits",
        results: report.findings.map((finding) =>
          resultOf(
            finding,
            rules.map(({ id }) => id),
          ),
        ),
      },
    ],
  };
}

function resultOf(finding: Finding, ids: readonly string[]): object {
  return {
    ruleId: finding.ruleId,
    ruleIndex: ids.indexOf(finding.ruleId),
    level: levels[finding.severity],
    message: { text: `${finding.title} (${finding.detail}). ${finding.remedy}` },
    locations: [locationOf(finding.at)],
  };
}

function locationOf(at: FindingLocation): object {
  if (at.kind === "source") {
    return {
      physicalLocation: {
        artifactLocation: { uri: at.file },
        region: { startLine: at.line, startColumn: at.column },
      },
    };
  }
  if (at.kind === "manifest") {
    return {
      physicalLocation: { artifactLocation: { uri: "contract.json" } },
      logicalLocations: [{ fullyQualifiedName: at.field, kind: "member" }],
    };
  }
  return {
    physicalLocation: {
      artifactLocation: { uri: "module.wasm" },
      region: { byteOffset: at.offset },
    },
    logicalLocations: [{ fullyQualifiedName: at.functionName, kind: "function" }],
  };
}
