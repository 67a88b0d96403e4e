import { MAX_CREDENTIAL_PAGE, MAX_TRACE_DEPTH } from "@credlink/api";
import { type TraceStep, tracePage, traceUp } from "@credlink/client";
import { toHex } from "@credlink/primitives";
import type { Command } from "commander";
import { type ConnectionOptions, connect, withConnection } from "../connection.ts";
import { describeCredential } from "../credential-view.ts";
import { CliError } from "../errors.ts";
import { renderTable } from "../network/status.ts";
import type { CommandContext } from "./context.ts";
import { wholeNumber } from "./network.ts";
import { parseId } from "./read.ts";

type TraceOptions = ConnectionOptions & {
  readonly down?: boolean;
  readonly depth?: number;
  readonly limit?: number;
  readonly offset?: number;
  readonly height?: number;
  readonly json?: boolean;
};

/** `credential trace`: up as a whole, or either way by pages. */
export function addTrace(credential: Command, context: CommandContext): void {
  withConnection(credential.command("trace").argument("<id>", "id of the credential"))
    .description("everything it rests on, up to the identities, each step proven")
    .option("--down", "what rests on it instead, as the node's index says; each step proven")
    .option("--depth <n>", `steps from it at most, 1 to ${MAX_TRACE_DEPTH}`, wholeNumber)
    .option("--limit <n>", `credentials of one page, 1 to ${MAX_CREDENTIAL_PAGE}`, wholeNumber)
    .option("--offset <n>", "`next` of the page before", wholeNumber)
    .option("--height <n>", "`height` of the first page", wholeNumber)
    .option("--json", "print one JSON document")
    .action((id: string, options: TraceOptions) =>
      context.run(options.json ?? false, () => trace(options, id)),
    );
}

function demandWithin(name: string, value: number | undefined, most: number): void {
  if (value === undefined || (value >= 1 && value <= most)) return;
  throw new CliError("CLI_USAGE", `--${name} ${value} is not 1 to ${most}`);
}

async function trace(options: TraceOptions, idText: string) {
  const id = parseId(idText);
  const { down, depth, limit, offset, height } = options;
  demandWithin("depth", depth, MAX_TRACE_DEPTH);
  demandWithin("limit", limit, MAX_CREDENTIAL_PAGE);
  const client = await connect(options);
  const isPaged = [down, depth, limit, offset].some((option) => option !== undefined);
  if (!isPaged) {
    const steps = await traceUp(client, id);
    return show(idText, steps, {});
  }
  const page = await tracePage(client, id, {
    direction: down === true ? "down" : "up",
    ...(depth === undefined ? {} : { depth }),
    ...(limit === undefined ? {} : { limit }),
    ...(offset === undefined ? {} : { offset }),
    ...(height === undefined ? {} : { height }),
  });
  return show(idText, page.steps, { height: page.height, next: page.next });
}

/** Where a page ends; empty for a whole trace. */
interface Page {
  readonly height?: number;
  readonly next?: number | null;
}

function show(id: string, steps: readonly TraceStep[], page: Page) {
  const described = steps.map(({ depth, by, ...step }) => ({
    depth,
    by: by && { from: toHex(by.from), relation: by.relation },
    ...describeCredential(step),
  }));
  const rows = described.map((step) => [
    "  ".repeat(step.depth) + step.type,
    step.id.slice(0, 16),
    step.status,
    step.parents.map((parent) => `${parent.relation} ${parent.id.slice(0, 8)}`).join(", "),
  ]);
  const more = typeof page.next === "number" ? `; the next page begins at ${page.next}` : "";
  const text = `${renderTable(["type", "id", "status", "parents"], rows)}\neach step proven${more}`;
  return { value: { id, ...page, steps: described, verified: true }, text };
}
