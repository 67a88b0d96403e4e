import { type Client, getGrant, type ProvenGrant, useGrant } from "@credlink/client";
import { type GrantAction, grantActions } from "@credlink/contracts";
import { formatAddress } from "@credlink/crypto";
import { toHex } from "@credlink/primitives";
import type { Command } from "commander";
import { gather } from "../co-signers.ts";
import type { ConnectionOptions } from "../connection.ts";
import { readAddress } from "../credential-draft.ts";
import { demandIssuer } from "../credential-input.ts";
import { describeCommit } from "../credential-view.ts";
import { CliError } from "../errors.ts";
import { type IssueOptions, issueDraft, withIssuing } from "../issue-draft.ts";
import { asks, fieldsOf } from "./ask.ts";
import type { CommandContext } from "./context.ts";
import { addRevocation } from "./credential-revoke.ts";
import { wholeNumber } from "./network.ts";
import { parseId } from "./read.ts";

interface CreateOptions extends IssueOptions {
  readonly credential: readonly string[];
  readonly grantee: string;
  readonly purpose: string;
  readonly actions: string;
  readonly from?: string;
  readonly to: string;
  readonly maxUses?: number;
  readonly irrevocable?: boolean;
  readonly grantor?: string;
  readonly consent?: string;
}

interface UseOptions extends ConnectionOptions {
  readonly credential: string;
  readonly action: string;
  readonly purpose: string;
}

/** `grant create | show | use | revoke`. */
export function addGrantCommands(program: Command, context: CommandContext): void {
  const grant = program
    .command("grant")
    .description("permissions to use credentials: for a purpose, a term and a number of uses");
  addCreate(grant, context);
  asks<ConnectionOptions>(
    grant
      .command("show")
      .argument("<id>", "id of the grant")
      .description("its terms, how often it was used and what is left; proven"),
    context,
    async (client, _, [id = ""]) => fieldsOf(describeGrant(await demandGrant(client, id))),
  );
  asks<UseOptions>(
    grant
      .command("use")
      .argument("<id>", "id of the grant")
      .description("use it once, as its grantee: counted on chain before anything is handed out")
      .requiredOption("--credential <id>", "which of its credentials")
      .requiredOption("--action <action>", grantActions.join(", "))
      .requiredOption("--purpose <code>", "the purpose that it was given for"),
    context,
    async (client, { credential, action, purpose }, [id = ""]) => {
      const use = { grant: parseId(id), target: parseId(credential), action: readAction(action) };
      const { result, committed } = await useGrant(client, { ...use, purpose });
      const { left } = await demandGrant(client, id);
      return fieldsOf({ id, ...describeCommit(committed), use: result.count, left });
    },
  );
  const revoke = grant.command("revoke");
  addRevocation(revoke.description("end it: as issuer, grantor or regulator"), context);
}

function addCreate(grant: Command, context: CommandContext): void {
  asks<CreateOptions>(
    withIssuing(
      grant
        .command("create")
        .description("let somebody use credentials that are about oneself")
        .requiredOption("--credential <id>", "a credential to open; may be repeated", gather)
        .requiredOption("--grantee <address>", "who may use them")
        .requiredOption("--purpose <code>", "what for, up to 64 bytes; public among members")
        .requiredOption("--actions <a,b>", `some of ${grantActions.join(", ")}`)
        .requiredOption("--to <time>", "first moment at which it no longer holds (ISO 8601)")
        .option("--from <time>", "from when on it holds (default: now)")
        .option("--max-uses <n>", "most uses (default: as often as the grantee likes)", wholeNumber)
        .option("--irrevocable", "only a regulator can end it early")
        .option("--grantor <address>", "for a data subject, as the institution that issued all")
        .option("--consent <hex>", "digest of the data subject's consent, with --grantor"),
    ),
    context,
    async (client, options) => fieldsOf(await create(client, options)),
  );
}

async function create(client: Client, options: CreateOptions) {
  const { credential, grantee, purpose, maxUses, consent } = options;
  const actions = options.actions.split(",").map(readAction);
  const grantor =
    options.grantor === undefined ? demandIssuer(client) : readAddress(options.grantor);
  if ((options.grantor === undefined) !== (consent === undefined)) {
    throw new CliError("CLI_OPTIONS_CONFLICT", "--grantor and --consent go together");
  }
  const ids = credential.map((id) => toHex(parseId(id)));
  const bytes = (hex: string) => ({ bytes: hex });
  return issueDraft(
    client,
    {
      type: "grant.access",
      subjects: [formatAddress(grantor)],
      parents: ids.map((id) => ({ id, relation: "grants" })),
      validFrom: options.from ?? new Date().toISOString(),
      validTo: options.to,
      payload: {
        grantor: bytes(toHex(grantor)),
        grantee: bytes(toHex(readAddress(grantee))),
        credentialIds: ids.map(bytes),
        purpose,
        actions,
        ...(maxUses === undefined ? {} : { maxUses }),
      },
      terms: {
        grantee,
        purpose,
        actions,
        maxUses: maxUses ?? null,
        revocable: options.irrevocable !== true,
        fieldsDigest: null,
        consentDigest: consent === undefined ? null : toHex(parseId(consent)),
      },
      identifiers: [],
    },
    options,
  );
}

/** @throws CliError CLI_USAGE */
function readAction(text: string): GrantAction {
  const action = grantActions.find((each) => each === text);
  if (action !== undefined) return action;
  throw new CliError("CLI_USAGE", `no action ${text}: ${grantActions.join(", ")}`);
}

/** @throws CliError CLI_NOT_FOUND; ClientError CLIENT_CREDENTIAL_TYPE */
async function demandGrant(client: Client, id: string): Promise<ProvenGrant> {
  const found = await getGrant(client, parseId(id));
  if (found === null) throw new CliError("CLI_NOT_FOUND", `grant ${id}`);
  return found;
}

function describeGrant({ credential, terms, targets, uses, left, state }: ProvenGrant) {
  const { stored, header } = credential;
  const { record, standing } = stored;
  const iso = (ms: number) => new Date(ms).toISOString();
  return {
    id: toHex(record.id),
    state,
    status: standing.status,
    uses,
    left,
    maxUses: terms.maxUses,
    credentials: targets.map(toHex),
    grantor: record.subjects.map(formatAddress)[0] ?? null,
    grantee: formatAddress(terms.grantee),
    purpose: terms.purpose,
    actions: terms.actions,
    revocable: terms.isRevocable,
    issuer: formatAddress(record.issuer),
    from: iso(record.validFromMs),
    to: record.validToMs === null ? null : iso(record.validToMs),
    proof: { height: header.height, block: toHex(header.digest) },
    verified: true,
  };
}
