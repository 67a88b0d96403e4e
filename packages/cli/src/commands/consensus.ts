import { getConsensusHistory, type VerifiedHistory } from "@credlink/client";
import type {
  CommitCertificate,
  Justification,
  PreparedCertificate,
  Statement,
} from "@credlink/consensus-pbft";
import { toHex } from "@credlink/primitives";
import type { Command } from "commander";
import { type ConnectionOptions, connect, withConnection } from "../connection.ts";
import { renderTable } from "../network/status.ts";
import type { CommandContext } from "./context.ts";
import { addEvidenceCommand } from "./evidence.ts";
import { wholeNumber } from "./network.ts";

type Options = ConnectionOptions & { readonly json?: boolean };

/** `consensus history | evidence`. */
export function addConsensusCommands(program: Command, context: CommandContext): void {
  const consensus = program.command("consensus").description("how blocks were decided");
  addEvidenceCommand(consensus, context);
  withConnection(consensus.command("history").argument("<height>", "the height", wholeNumber))
    .description("proposer, view, every vote and view change of a height, signatures verified")
    .option("--json", "print one JSON document")
    .action((height: number, options: Options) =>
      context.run(options.json ?? false, async () => {
        const found = await getConsensusHistory(await connect(options), height);
        return { value: describeHistory(found), text: renderHistory(found) };
      }),
    );
}

function showCertificate(certificate: CommitCertificate | PreparedCertificate) {
  const { view, digest, signatures } = certificate;
  return {
    view,
    digest: toHex(digest),
    signatures: signatures.map(({ index, signature }) => ({ index, signature: toHex(signature) })),
  };
}

function showJustification({ viewChanges, prepared }: Justification) {
  return {
    viewChanges: viewChanges.map(({ sender, preparedView, signature }) => ({
      sender,
      preparedView,
      signature: toHex(signature),
    })),
    prepared: prepared === null ? null : showCertificate(prepared),
  };
}

/** The digest that a statement is for, where it is for one. */
function digestOf(statement: Statement): Uint8Array | null {
  if (statement.type === "wish") return null;
  return statement.type === "view-change" ? statement.preparedDigest : statement.digest;
}

/** What a statement carries beside its own fields: what proves it. */
function proofOf(statement: Statement) {
  if (statement.type === "view-change") {
    const { preparedView, prepared } = statement;
    return { preparedView, prepared: prepared === null ? null : showCertificate(prepared) };
  }
  if (statement.type !== "pre-prepare") return {};
  const { justification } = statement;
  return { justification: justification === null ? null : showJustification(justification) };
}

/** The history as `--json` tells it: everything, by field. */
function describeHistory({ history, validators, record, link, below }: VerifiedHistory) {
  const nameOf = (index: number): string => validators[index]?.nodeId ?? `${index}`;
  return {
    height: history.height,
    digest: toHex(history.digest),
    view: history.certificate.view,
    proposer: { index: history.proposer, nodeId: nameOf(history.proposer) },
    certificate: showCertificate(history.certificate),
    statements: history.statements.map((statement) => {
      const digest = digestOf(statement);
      return {
        type: statement.type,
        view: statement.view,
        sender: statement.sender,
        nodeId: nameOf(statement.sender),
        digest: digest && toHex(digest),
        signature: toHex(statement.signature),
        ...proofOf(statement),
      };
    }),
    dropped: history.dropped,
    link: toHex(link),
    below: toHex(below),
    record:
      record === null
        ? null
        : {
            height: history.height + 2,
            certificate: showCertificate(record.certificate),
            justification: record.justification && showJustification(record.justification),
          },
    verified: true,
  };
}

/** For people: a head and one line a statement. */
function renderHistory(found: VerifiedHistory): string {
  const { history, record } = found;
  const shown = describeHistory(found);
  const signers = history.certificate.signatures.map(({ index }) => index).join(" ");
  const recorded =
    record === null ? "no block two heights on yet" : `recorded in block ${history.height + 2}`;
  const rows = shown.statements.map(({ view, type, nodeId, digest, signature }) => [
    `${view}`,
    type,
    nodeId,
    digest?.slice(0, 16) ?? "-",
    `${signature.slice(0, 16)}…`,
  ]);
  return [
    `block ${history.height} ${shown.digest}`,
    `proposer ${shown.proposer.nodeId}, decided in view ${shown.view}, ${recorded}`,
    `certificate: COMMIT of validators ${signers}`,
    renderTable(["view", "statement", "of", "digest", "signature"], rows),
    ...(history.dropped === 0 ? [] : [`${history.dropped} statements were not kept`]),
  ].join("\n");
}
