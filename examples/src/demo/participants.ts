import {
  certifyKey,
  loadAuthority,
  loadNetworkIdentity,
  type Network,
  networkPaths,
  type RunningNetwork,
} from "@credlink/cli";
import {
  type Client,
  createClient,
  createIdentity,
  enrollCalls,
  type Identity,
  registerRelationKeysCalls,
} from "@credlink/client";
import { createSm2Signer, generateKeyPair } from "@credlink/crypto";
import type { MemberRole } from "@credlink/ledger";
import type { BusinessMonth } from "../business-month.ts";
import type { ExampleKey } from "../step.ts";

/** The four organisations of the demo. */
export const organizations = {
  institution: "qianhai-services",
  enterprises: ["pengcheng-express", "yuehai-media"],
  regulator: "shenzhen-regulator",
} as const;

/** A member with a fresh key and its certificate (DER). */
interface Applicant {
  readonly key: ExampleKey;
  readonly identity: Identity;
  readonly certificate: Uint8Array;
}

/** Who takes part, once enrolled. */
export interface Participants {
  readonly institution: Identity;
  readonly institutionKey: ExampleKey;
  /** Decides the month's case. */
  readonly regulator: ExampleKey;
  readonly enterprises: readonly Identity[];
  readonly workers: readonly Identity[];
}

const USER_DAYS = 365;

/** Opens clients of one member at every node. */
export function openClients(
  running: RunningNetwork,
  genesis: Uint8Array,
  identity: Identity,
): readonly Client[] {
  return running.nodes.map((node) => createClient({ url: node.rpc, genesis, identity }));
}

/** Makes keys on the members' side; the organisation's CA signs certificates for them. */
async function makeApplicants(
  dir: string,
  network: Network,
  organization: string,
  role: MemberRole,
  names: readonly string[],
): Promise<readonly Applicant[]> {
  const entry = network.organizations.find((each) => each.name === organization);
  if (entry === undefined) throw new Error(`the demo's network has no ${organization}`);
  const authority = await loadAuthority(networkPaths(dir).root, entry);
  const nowMs = Date.now();
  return Promise.all(
    names.map(async (name) => {
      const pair = generateKeyPair();
      const request = { organization, role, name, days: USER_DAYS, nowMs };
      const certificate = await certifyKey(authority, pair.publicKey, request);
      const identity = createIdentity(createSm2Signer(pair.privateKey));
      const key = { ...pair, address: identity.address };
      return { key, identity, certificate: certificate.der };
    }),
  );
}

async function enroll(client: Client, applicants: readonly Applicant[]): Promise<void> {
  const certificates = applicants.map((each) => each.certificate);
  for (const call of enrollCalls(certificates)) await client.execute(call);
}

/**
 * Enrols one institution and two enterprises, each by the admin of its own organisation, and the
 * workers, whom the institution enrols. Workers' certificates carry a number, never a name.
 */
export async function enrollParticipants(
  dir: string,
  running: RunningNetwork,
  genesis: Uint8Array,
  workerCount: number,
): Promise<Participants> {
  const { network } = running;
  const clientOf = (identity: Identity): Client => {
    const [node] = running.nodes;
    if (node === undefined) throw new Error("the network has nodes");
    return createClient({ url: node.rpc, genesis, identity });
  };
  const adminOf = async (organization: string): Promise<Client> =>
    clientOf(await loadNetworkIdentity(dir, network, `${organization}/admin`));
  const [institution] = await makeApplicants(
    dir,
    network,
    organizations.institution,
    "institution",
    ["service-centre"],
  );
  if (institution === undefined) throw new Error("one institution was asked for");
  await enroll(await adminOf(organizations.institution), [institution]);
  const [regulator] = await makeApplicants(dir, network, organizations.regulator, "regulator", [
    "dispute-office",
  ]);
  if (regulator === undefined) throw new Error("one regulator was asked for");
  await enroll(await adminOf(organizations.regulator), [regulator]);
  const enterprises: Identity[] = [];
  for (const organization of organizations.enterprises) {
    const made = await makeApplicants(dir, network, organization, "enterprise", [organization]);
    await enroll(await adminOf(organization), made);
    enterprises.push(...made.map((each) => each.identity));
  }
  const workers = await makeApplicants(
    dir,
    network,
    organizations.institution,
    "individual",
    Array.from({ length: workerCount }, (_, at) => `worker-${String(at + 1).padStart(3, "0")}`),
  );
  await enroll(clientOf(institution.identity), workers);
  return {
    institution: institution.identity,
    institutionKey: institution.key,
    regulator: regulator.key,
    enterprises,
    workers: workers.map((each) => each.identity),
  };
}

/** Registers the month's relation keys as the institution: role and validity, nothing else. */
export async function registerKeys(client: Client, month: BusinessMonth): Promise<void> {
  const keys = month.relationKeys.map(({ key, role, validFromMs, validToMs }) => ({
    publicKey: key.publicKey,
    role,
    validFromMs,
    validToMs,
  }));
  await Promise.all(registerRelationKeysCalls(keys).map((call) => client.execute(call)));
}
