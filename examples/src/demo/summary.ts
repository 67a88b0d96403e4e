import { renderTable } from "@credlink/cli";
import type { TraceStep } from "@credlink/client";
import type { CredentialFamily } from "@credlink/contracts";
import { toHex } from "@credlink/primitives";
import type { FamilyRow } from "./submissions.ts";

const chinese: Readonly<Record<CredentialFamily, string>> = {
  identity: "identity 身份",
  contract: "contract 合约",
  transaction: "transaction 交易",
  bill: "bill 票据",
  risk: "risk 风控",
  arbitration: "arbitration 仲裁",
  grant: "grant 授权",
};

/** Accepted and refused credentials, one line per family and refusal code. */
export function renderFamilies(rows: readonly FamilyRow[]): string {
  const lines = rows.flatMap(({ family, accepted, refused }) => {
    const codes = [...refused].sort(([a], [b]) => (a < b ? -1 : 1));
    const total = codes.reduce((sum, [, count]) => sum + count, 0);
    return [
      [chinese[family], String(accepted), String(total), ""],
      ...codes.map(([code, count]) => ["", "", "", `${code}${count > 1 ? ` ×${count}` : ""}`]),
    ];
  });
  return renderTable(["family", "accepted", "refused", "code"], lines);
}

/**
 * The way from a credential back to the identities: one line per distance and type, with how many
 * there are and the first of them.
 */
export function renderTrace(steps: readonly TraceStep[]): string {
  const groups = new Map<string, TraceStep[]>();
  for (const step of steps) {
    const key = `${step.depth} ${step.stored.record.type}`;
    groups.set(key, [...(groups.get(key) ?? []), step]);
  }
  const lines = [...groups.values()].map((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { record, standing } = first.stored;
    const blocks = group.map((step) => step.stored.issue.height);
    const span = [...new Set([Math.min(...blocks), Math.max(...blocks)])].join("–");
    return [
      `${"  ".repeat(first.depth)}${record.type}`,
      `${group.length}`,
      `${toHex(record.id).slice(0, 12)}${group.length > 1 ? " …" : ""}`,
      standing.status,
      [...new Set(record.parents.map((parent) => parent.relation))].join(", ") || "–",
      span,
    ];
  });
  return renderTable(["credential", "count", "id", "status", "rests on", "blocks"], lines);
}

/** The value that `share` of the sample does not exceed (nearest rank), milliseconds. */
export function percentileMs(sample: readonly number[], share: number): number {
  const sorted = [...sample].sort((a, b) => a - b);
  return Math.round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0);
}
