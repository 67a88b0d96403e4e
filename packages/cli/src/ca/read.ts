import { resolve } from "node:path";
import {
  type Act,
  AuthorityFolder,
  checkAuthority,
  findIssued,
  readDescription,
  replaceFile,
} from "@credlink/ca";
import { certificateToPem } from "@credlink/crypto";
import { CliError } from "../errors.ts";
import { PUBLIC_MODE } from "./create.ts";
import { describeCertificate, describeGenesis, describeIssued } from "./describe.ts";

const DAY_MS = 86_400_000;

/** `ca list`. */
export async function listIssued(options: { readonly dir: string; readonly endsWithin?: number }) {
  const folder = new AuthorityFolder(resolve(options.dir));
  return folder.read((act) => {
    const { endsWithin } = options;
    const untilMs = endsWithin === undefined ? undefined : act.nowMs + endsWithin * DAY_MS;
    const certificates = act.state
      .issued()
      .filter((each) => {
        if (untilMs === undefined) return true;
        const isSucceeded = act.state.successorOf(each.certificate.serialNumber) !== undefined;
        const isValid = act.state.statusOf(each, act.nowMs) === "valid";
        return isValid && !isSucceeded && each.certificate.notAfterMs < untilMs;
      })
      .map((each) => describeIssued(act, each));
    return { organization: act.description.organization, certificates };
  });
}

function describeAuthority(act: Act, digest: string) {
  const { own, list } = act.state;
  const issued = act.state.issued();
  return {
    kind: act.description.kind,
    organization: act.description.organization,
    accepted: own !== undefined,
    ...(own === undefined ? {} : describeCertificate(own)),
    issued: issued.length,
    valid: issued.filter((each) => act.state.statusOf(each, act.nowMs) === "valid").length,
    list: list?.number ?? null,
    listDue: list === undefined ? null : new Date(list.nextUpdateMs).toISOString(),
    database: digest,
  };
}

/** `ca show`. */
export async function show(
  serial: string | undefined,
  options: { readonly dir?: string; readonly out?: string; readonly genesis?: string },
) {
  const { dir, genesis, out } = options;
  if ((dir === undefined) === (genesis === undefined)) {
    throw new CliError("CLI_OPTIONS_CONFLICT", "either --dir or --genesis is needed");
  }
  if (genesis !== undefined) {
    if (serial !== undefined || out !== undefined) {
      throw new CliError("CLI_OPTIONS_CONFLICT", "--genesis shows all of its authorities");
    }
    return describeGenesis(genesis);
  }
  const path = resolve(dir ?? "");
  const { kind, organization } = await readDescription(path);
  const folder = new AuthorityFolder(path);
  return folder.read(async (act) => {
    const { own } = act.state;
    const issued = serial === undefined ? undefined : findIssued(act, serial);
    const certificate = issued?.certificate ?? own;
    if (out !== undefined) {
      if (certificate === undefined) throw new CliError("CLI_NOT_FOUND", "no certificate yet");
      await replaceFile(out, certificateToPem(certificate), PUBLIC_MODE);
    }
    if (issued !== undefined)
      return { authority: `${kind} ${organization}`, ...describeIssued(act, issued) };
    return describeAuthority(act, folder.digest);
  });
}

/** `ca check`. */
export async function check(dir: string) {
  const folder = new AuthorityFolder(resolve(dir));
  const checked = await folder.read(checkAuthority);
  return { ...checked, database: folder.digest };
}
