import { settings } from "./settings.ts";

function show(value: unknown): string {
  return value === undefined ? "–" : `\`${JSON.stringify(value)}\``;
}

/** The page docs/configuration.md: generated, so that it is what the schema says. */
export function describeConfiguration(): string {
  const lines = [
    "# Configuration of a node",
    "",
    "Generated from `packages/node/src/config/schema.ts`; a test holds this page equal to it.",
    "",
    "A node is configured by a YAML file, environment variables and flags. Later sources win:",
    "defaults < file < environment < flags. Unknown keys are refused by name. Flags are the dotted",
    "key (`--p2p.maxConnections=50`); lists take commas or repeated flags. Paths in the file are",
    "relative to the file, elsewhere to the working folder. Secrets are named by file path only.",
    "What all nodes must agree on is not here: it stands in genesis and changes on chain.",
    "",
    "| key | variable | takes | default | meaning |",
    "|---|---|---|---|---|",
  ];
  for (const each of settings) {
    const standard = each.required ? "required" : show(each.default);
    const cells = [`\`${each.key}\``, `\`${each.variable}\``, each.range, standard];
    lines.push(`| ${[...cells, each.description].join(" | ")} |`);
  }
  return `${lines.join("\n")}\n`;
}
