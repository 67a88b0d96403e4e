import { type Client, getCase, MAX_PACKAGE_LINE_BYTES, verifyPackage } from "@credlink/client";
import { formatAddress } from "@credlink/crypto";
import { toHex } from "@credlink/primitives";
import { type Command, Option } from "commander";
import { gather } from "../co-signers.ts";
import type { ConnectionOptions } from "../connection.ts";
import type { CredentialDraft } from "../credential-draft.ts";
import { readAddress } from "../credential-draft.ts";
import { demandIssuer } from "../credential-input.ts";
import { CliError } from "../errors.ts";
import { type IssueOptions, issueDraft, withIssuing } from "../issue-draft.ts";
import { readLines } from "../line-file.ts";
import { asks, fieldsOf } from "./ask.ts";
import type { CommandContext } from "./context.ts";
import { parseId } from "./read.ts";

interface OpenOptions extends IssueOptions {
  readonly about: readonly string[];
  readonly respondent: string;
  readonly claimant?: string;
  readonly claim: readonly string[];
  readonly evidence: string;
  readonly hold?: boolean;
  readonly appeal?: string;
  readonly rules?: string;
}

interface DecideOptions extends IssueOptions {
  readonly result: "upheld" | "dismissed";
  readonly reasoning: string;
  readonly decidedBy?: string;
  readonly revoke: readonly string[];
  readonly amend: readonly string[];
  readonly hold: readonly string[];
}

const bytes = (hex: string) => ({ bytes: hex });
const hexId = (text: string): string => toHex(parseId(text));

/** `arbitration open | show | decide`. */
export function addCaseCommands(arbitration: Command, context: CommandContext): void {
  asks<OpenOptions>(
    withIssuing(
      arbitration
        .command("open")
        .description("open a case about credentials, as a party or as the institution of one")
        .requiredOption("--about <id>", "a credential in dispute; may be repeated", gather)
        .requiredOption("--respondent <address>", "against whom")
        .option("--claimant <address>", "whose case it is, with --co-sign (default: oneself)")
        .requiredOption("--claim <text>", "what is claimed; may be repeated", gather)
        .requiredOption("--evidence <file>", "a package made by `credential export --evidence`")
        .option("--hold", "hold the credentials until the verdict")
        .option("--appeal <case>", "the decided case that it appeals")
        .option("--rules <text>", "by which rules"),
    ),
    context,
    async (client, options) => fieldsOf(await open(client, options)),
  );
  asks<ConnectionOptions>(
    arbitration
      .command("show")
      .argument("<case>", "id of the case")
      .description("what it is about, what it holds and how it was decided; proven"),
    context,
    async (client, _, [id = ""]) => fieldsOf(await showCase(client, id)),
  );
  asks<DecideOptions>(
    withIssuing(
      arbitration
        .command("decide")
        .argument("<case>", "id of the case")
        .description("give the verdict: as a regulator, or as an arbitrator with --co-sign")
        .addOption(
          new Option("--result <result>", "whether the claimant is right")
            .choices(["upheld", "dismissed"])
            .makeOptionMandatory(),
        )
        .requiredOption("--reasoning <text>", "why; stays in the file, committed to on chain")
        .option("--decided-by <text>", "the body that decides (default: one's address)")
        .option("--revoke <id>", "revoke it, in the order given; may be repeated", gather, [])
        .option("--amend <id>", "its issuer must correct it; may be repeated", gather, [])
        .option("--hold <id>", "hold it on; may be repeated", gather, []),
    ),
    context,
    async (client, options, [id = ""]) => fieldsOf(await decide(client, id, options)),
  );
}

async function open(client: Client, options: OpenOptions) {
  const evidenceDigest = await digestOf(client, options);
  const claimant =
    options.claimant === undefined
      ? formatAddress(demandIssuer(client))
      : formatAddress(readAddress(options.claimant));
  const { respondent, claim, appeal, rules } = options;
  const about = options.about.map(hexId);
  const now = new Date().toISOString();
  const draft: CredentialDraft = {
    type: "arbitration.case",
    subjects: [claimant, respondent],
    parents: [
      ...about.map((id) => ({ id, relation: "concerns" as const })),
      ...(appeal === undefined ? [] : [{ id: hexId(appeal), relation: "appeals" as const }]),
    ],
    validFrom: now,
    validTo: null,
    payload: {
      claimant,
      respondent,
      claims: [...claim],
      credentialIds: about.map(bytes),
      evidencePackageDigest: bytes(evidenceDigest),
      filedAt: now,
      ...(rules === undefined ? {} : { ruleSet: rules }),
    },
    terms: { evidenceDigest, holds: options.hold === true },
    identifiers: [],
  };
  return { ...(await issueDraft(client, draft, options)), evidenceDigest };
}

/**
 * Digest of the evidence package, once it is proven whole and to be about every credential named.
 * @throws CliError CLI_CREDENTIAL_MISMATCH; what `verifyPackage` throws
 */
async function digestOf(client: Client, { evidence, about }: OpenOptions): Promise<string> {
  const lines = readLines(evidence, MAX_PACKAGE_LINE_BYTES);
  const { credentials, digest } = await verifyPackage(client.genesisBytes, lines);
  const proven = new Set(credentials.map(({ id }) => toHex(id)));
  const missing = about.find((id) => !proven.has(hexId(id)));
  if (missing === undefined) return digest;
  throw new CliError("CLI_CREDENTIAL_MISMATCH", `${evidence} says nothing of ${missing}`);
}

async function decide(client: Client, caseId: string, options: DecideOptions) {
  const { result, reasoning, revoke, amend, hold } = options;
  const acts = [
    ...revoke.map((id) => ({ id: hexId(id), relation: "revokes" as const, act: "revoke" })),
    ...amend.map((id) => ({ id: hexId(id), relation: "amends" as const, act: "amend" })),
    ...hold.map((id) => ({ id: hexId(id), relation: "holds" as const, act: "hold" })),
  ];
  const id = hexId(caseId);
  const measures = acts.map(({ id: target, act }) => [bytes(target), act]);
  const draft: CredentialDraft = {
    type: "arbitration.verdict",
    subjects: [],
    parents: [
      { id, relation: "decides" },
      ...acts.map(({ id: target, relation }) => ({ id: target, relation })),
    ],
    validFrom: new Date().toISOString(),
    validTo: null,
    payload: {
      caseId: bytes(id),
      result,
      decidedBy: options.decidedBy ?? formatAddress(demandIssuer(client)),
      reasoning,
      ...(measures.length === 0 ? {} : { measures }),
    },
    terms: { result },
    identifiers: [],
  };
  return { ...(await issueDraft(client, draft, options)), case: id, result };
}

async function showCase(client: Client, id: string) {
  const found = await getCase(client, parseId(id));
  if (found === null) throw new CliError("CLI_NOT_FOUND", `case ${id}`);
  const { credential, terms, isOpen, targets, verdict } = found;
  const { record, standing } = credential.stored;
  const [claimant, respondent] = record.subjects.map(formatAddress);
  return {
    id: toHex(record.id),
    status: isOpen ? "open" : standing.status,
    claimant,
    respondent,
    issuer: formatAddress(record.issuer),
    evidenceDigest: toHex(terms.evidenceDigest),
    holds: terms.holds,
    about: targets.map(({ credential: { stored }, isHeld }) => ({
      id: toHex(stored.record.id),
      type: stored.record.type,
      status: stored.standing.status,
      heldByThisCase: isHeld,
    })),
    verdict: verdict && {
      id: toHex(verdict.credential.stored.record.id),
      result: verdict.terms.result,
      by: formatAddress(verdict.credential.stored.record.issuer),
      acts: verdict.credential.stored.record.parents
        .filter(({ relation }) => relation !== "decides")
        .map((parent) => ({ id: toHex(parent.id), relation: parent.relation })),
    },
    proof: { height: credential.header.height, block: toHex(credential.header.digest) },
    verified: true,
  };
}
