import {
  type AccessRule,
  accessRules,
  credentialTypes,
  methodRules,
  recordActions,
} from "../src/index.ts";

/** Where the page stands, from the repository's root. */
export const accessPagePath = "docs/protocol/access.md";

function cellOf(rules: readonly AccessRule[]): string {
  return rules
    .map(({ roles, relation }) => roles.join(", ") + (relation === null ? "" : ` (${relation})`))
    .join("; ");
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** The text of docs/protocol/access.md: the access matrix, from the data that decides it. */
export function accessPage(): string {
  const columns = recordActions.map((action) => `\`${action}\``);
  const matrix = credentialTypes.map((type) =>
    row([
      type,
      ...recordActions.map((action) =>
        cellOf(accessRules.filter((rule) => rule.action === action && rule.types.includes(type))),
      ),
    ]),
  );
  const methods = methodRules.map(({ name, readOnly, roles }) =>
    row([`\`${name}\``, readOnly ? "reads" : "writes", roles.join(", ")]),
  );
  return `# Access to credentials

Written by \`pnpm contracts:build\` from \`packages/contracts/src/credential-rules.ts\`; the contract's manifest and tables come from the same
data. Whoever a cell does not name is refused: [access.test.ts](../../packages/contracts/test/contracts/access.test.ts) tries every role on every
type and action by raw signed transactions. In brackets stands what ties the member to the record; without brackets the role is enough; but
nobody, a regulator included, decides a case that names it, or revokes one as its respondent. \`submit\` stands for \`propose\` too.

## By type and action

${row(["type", ...columns])}
${row(["---", ...columns.map(() => "---")])}
${matrix.join("\n")}

## By method

The node refuses a method to any other role before the contract runs (\`VM_ACCESS_DENIED\`); the contract judges type and relation.

| method | | roles |
|---|---|---|
${methods.join("\n")}

Private payloads are not on chain: who may read one is a matter of its policy document and of grants ([credentials.md](credentials.md)).
`;
}
