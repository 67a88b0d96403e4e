import {
  getEvidence,
  listEvidence,
  MAX_EVIDENCE_PAGE,
  type ProvenEvidence,
} from "@credlink/client";
import type { Evidence } from "@credlink/consensus-pbft";
import { assertNever, toHex } from "@credlink/primitives";
import type { Command } from "commander";
import { type ConnectionOptions, connect, withConnection } from "../connection.ts";
import { CliError } from "../errors.ts";
import type { CommandContext } from "./context.ts";
import { wholeNumber } from "./network.ts";

interface Options extends ConnectionOptions {
  readonly height?: number;
  readonly validator?: string;
  readonly from?: number;
  readonly limit?: number;
  readonly json?: boolean;
}

/** `consensus evidence`. */
export function addEvidenceCommand(consensus: Command, context: CommandContext): void {
  withConnection(consensus.command("evidence"))
    .description("validators that contradicted themselves, as blocks recorded it, each proven")
    .option("--height <height>", "only of this height, proven whole", wholeNumber)
    .option("--validator <node>", "only of this validator")
    .option("--from <height>", "list from this height on (default: 1)", wholeNumber)
    .option(
      "--limit <n>",
      `end after so many, 1 to ${MAX_EVIDENCE_PAGE} (default: 20)`,
      wholeNumber,
    )
    .option("--json", "print one JSON document")
    .action((options: Options) =>
      context.run(options.json ?? false, async () => {
        const answer = await readEvidence(options);
        return { value: answer, text: render(answer) };
      }),
    );
}

/**
 * The answer for `--json`. `complete` says that nothing can have been left out: every validator of
 * the height that was asked for is proven to have a record or none.
 */
interface Answer {
  readonly evidence: readonly ReturnType<typeof describeEvidence>[];
  readonly complete: boolean;
  readonly clean: readonly string[];
  readonly nextHeight: number | null;
  readonly verified: true;
}

async function readEvidence(options: Options): Promise<Answer> {
  const { height, validator, from, limit } = options;
  if (height !== undefined) {
    if (from !== undefined || limit !== undefined) {
      throw new CliError("CLI_OPTIONS_CONFLICT", "--height excludes --from and --limit");
    }
    const { found, clean } = await getEvidence(await connect(options), height, validator);
    const evidence = found.map(describeEvidence);
    return { evidence, complete: true, clean, nextHeight: null, verified: true };
  }
  if (limit !== undefined && (limit < 1 || limit > MAX_EVIDENCE_PAGE)) {
    throw new CliError("CLI_OPTIONS_CONFLICT", `--limit ${limit} is not 1 to ${MAX_EVIDENCE_PAGE}`);
  }
  const { found, nextHeight } = await listEvidence(await connect(options), {
    ...(from === undefined ? {} : { fromHeight: from }),
    ...(limit === undefined ? {} : { limit }),
    ...(validator === undefined ? {} : { nodeId: validator }),
  });
  const evidence = found.map(describeEvidence);
  return { evidence, complete: false, clean: [], nextHeight, verified: true };
}

/** One of the two messages by its signed fields. */
interface ShownMessage {
  readonly type: string;
  readonly view: number;
  readonly parentDigest?: string;
  readonly digest?: string;
  readonly preparedView?: number | null;
  readonly preparedDigest?: string | null;
  readonly signature: string;
}

/** The two messages, in the order in which the evidence holds them. */
function messagesOf(evidence: Evidence): readonly ShownMessage[] {
  const { view } = evidence;
  switch (evidence.type) {
    case "pre-prepare":
    case "prepare":
    case "commit": {
      const parent =
        evidence.type === "pre-prepare" ? { parentDigest: toHex(evidence.parentDigest) } : {};
      return [evidence.first, evidence.second].map((vote) => ({
        ...{ type: evidence.type, view, ...parent },
        ...showVote(vote),
      }));
    }
    case "view-change":
      return [evidence.first, evidence.second].map((claim) => ({
        ...{ type: evidence.type, view },
        ...showClaim(claim),
      }));
    case "amnesia":
      return [
        { type: "commit", view, ...showVote(evidence.commit) },
        { type: "view-change", view: evidence.later.view, ...showClaim(evidence.later) },
      ];
    default:
      return assertNever(evidence);
  }
}

type OfType<T extends Evidence["type"]> = Extract<Evidence, { readonly type: T }>;

function showVote({ digest, signature }: OfType<"commit">["first"]) {
  return { digest: toHex(digest), signature: toHex(signature) };
}

function showClaim(claim: OfType<"view-change">["first"]) {
  const { preparedView, preparedDigest, signature } = claim;
  return {
    preparedView,
    preparedDigest: preparedDigest && toHex(preparedDigest),
    signature: toHex(signature),
  };
}

/** A piece of evidence as `--json` tells it: enough to verify both signatures elsewhere. */
export function describeEvidence({ record, evidence, signedDigests, ...blocks }: ProvenEvidence) {
  const { offence, recorded, head } = blocks;
  return {
    kind: evidence.type,
    height: evidence.height,
    view: evidence.view,
    validator: {
      index: evidence.sender,
      nodeId: record.nodeId,
      publicKey: toHex(record.publicKey),
    },
    messages: messagesOf(evidence).map((message, at) => ({
      ...message,
      signedDigest: toHex(signedDigests[at] ?? new Uint8Array(0)),
    })),
    /** The list whose digest is part of what was signed. */
    validatorsHash: toHex(offence.header.validatorsHash),
    recorded: { height: recorded.height, digest: toHex(recorded.digest) },
    provenAt: { height: head.height, digest: toHex(head.digest) },
  };
}

type ShownEvidence = ReturnType<typeof describeEvidence>;

const titles: Readonly<Record<Evidence["type"], string>> = {
  "pre-prepare": "proposed two blocks on one parent",
  prepare: "prepared two blocks",
  commit: "committed to two blocks",
  "view-change": "claimed two locks in one view change",
  amnesia: "committed to a block and later denied it",
};

function renderMessage(message: ShownEvidence["messages"][number]): string {
  const { type, view, digest, preparedView, preparedDigest, signature } = message;
  const lock = preparedView ?? null;
  const said =
    digest ?? (lock === null ? "nothing prepared" : `prepared in view ${lock} ${preparedDigest}`);
  return `  ${type} of view ${view}: ${said}\n    signature ${signature}`;
}

export function renderEvidence({
  kind,
  height,
  view,
  validator,
  messages,
  recorded,
}: ShownEvidence): string {
  const { nodeId, index } = validator;
  return [
    `${nodeId} (validator ${index}) ${titles[kind]} at height ${height}, view ${view}`,
    ...messages.map(renderMessage),
    `  recorded in block ${recorded.height} ${recorded.digest}`,
  ].join("\n");
}

/** For people: a paragraph for each, then what is known about the rest. */
function render({ evidence, complete, clean, nextHeight }: Answer): string {
  const more =
    nextHeight === null
      ? "the node names no more; a list carries no proof that it is whole, --height does"
      : `there is more: --from ${nextHeight}`;
  const rest = complete ? `proven to have no record: ${clean.join(" ") || "nobody"}` : more;
  return [...evidence.map(renderEvidence), rest].join("\n");
}
