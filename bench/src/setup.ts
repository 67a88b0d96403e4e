import {
  certifyKey,
  loadAuthority,
  loadNetworkIdentity,
  networkPaths,
  type RunningNetwork,
} from "@credlink/cli";
import {
  type Call,
  type Client,
  createClient,
  createIdentity,
  DEFAULT_GAS_LIMIT,
  enrollCalls,
  type Identity,
  registerRelationKeysCalls,
} from "@credlink/client";
import { CREDENTIAL_CONTRACT, CREDENTIAL_CONTRACT_VERSION } from "@credlink/contracts";
import { addressFromPublicKey, createSm2Signer, generateKeyPair } from "@credlink/crypto";
import {
  type CredentialStep,
  type ExampleKey,
  generateBusinessMonth,
  type RelationKeyToRegister,
  type StepBatch,
  stepsBehind,
} from "@credlink/examples";
import type { RelationKey } from "@credlink/ledger";
import { address, toHex } from "@credlink/primitives";

/** What is needed of a network that runs. */
export interface ReachableNetwork {
  readonly network: RunningNetwork["network"];
  readonly nodes: readonly { readonly rpc: string }[];
}

const DAY_MS = 86_400_000;
/** The parents' month lies in the past of the chain. */
const MONTH_AGO_MS = 33 * DAY_MS;
/** Fewest that the generator makes. */
const WORKERS = 6;

/** An institution and what its load refers to; plain data, so that a worker thread can take it. */
export interface Sender {
  readonly address: Uint8Array;
  readonly privateKey: Uint8Array;
  /** Relation keys of one enterprise and one worker. */
  readonly enterprise: ExampleKey;
  readonly worker: ExampleKey;
  /** Id of the service contract that everything stands under. */
  readonly service: Uint8Array;
}

function createKey(): ExampleKey {
  const pair = generateKeyPair();
  return { ...pair, address: addressFromPublicKey(pair.publicKey) };
}

/** The identity of a key that signs. */
export function identityOf(key: Pick<Sender, "address" | "privateKey">): Identity {
  return createIdentity(createSm2Signer(key.privateKey), address(key.address));
}

/** One member's clients of all nodes. */
export function openClients(
  running: ReachableNetwork,
  genesis: Uint8Array,
  member: Pick<Sender, "address" | "privateKey">,
): readonly Client[] {
  const identity = identityOf(member);
  return running.nodes.map((node) =>
    createClient({ url: node.rpc, genesis, identity, timeoutMs: 60_000 }),
  );
}

/** Has an organisation's admin enrol an institution; returns the node by which it did. */
export async function enrolInstitution(
  dir: string,
  running: ReachableNetwork,
  genesis: Uint8Array,
  index: number,
  key: Pick<ExampleKey, "publicKey">,
): Promise<{ readonly rpc: string }> {
  const { network } = running;
  const organization = network.organizations[index % network.organizations.length];
  const node = running.nodes[index % running.nodes.length];
  if (organization === undefined || node === undefined) throw new Error("an empty network");
  const authority = await loadAuthority(networkPaths(dir).root, organization);
  const certificate = await certifyKey(authority, key.publicKey, {
    organization: organization.name,
    role: "institution",
    name: `bench-${index + 1}`,
    days: 30,
    nowMs: Date.now(),
  });
  const adminIdentity = await loadNetworkIdentity(dir, network, `${organization.name}/admin`);
  const admin = createClient({ url: node.rpc, genesis, identity: adminIdentity });
  for (const call of enrollCalls([certificate.der])) await admin.execute(call);
  return node;
}

/** Enrols an institution, registers its relation keys, and commits what its load refers to. */
export async function setUpSender(
  dir: string,
  running: ReachableNetwork,
  genesis: Uint8Array,
  index: number,
): Promise<Sender> {
  const key = createKey();
  const node = await enrolInstitution(dir, running, genesis, index, key);
  const client = createClient({ url: node.rpc, genesis, identity: identityOf(key) });
  return { address: key.address, privateKey: key.privateKey, ...(await setUpParents(client, key)) };
}

/** What is registered of relation keys. */
export function registrationOf(keys: readonly RelationKeyToRegister[]): readonly RelationKey[] {
  return keys.map(({ key, role, validFromMs, validToMs }) => ({
    publicKey: key.publicKey,
    role,
    validFromMs,
    validToMs,
  }));
}

/** A step's call, or that of a batch, which may use as much gas as its records by themselves. */
export function callOf(step: CredentialStep | StepBatch): Call {
  const records = "steps" in step ? step.steps.length : 1;
  return {
    gasLimit: records * DEFAULT_GAS_LIMIT,
    contract: CREDENTIAL_CONTRACT,
    version: CREDENTIAL_CONTRACT_VERSION,
    method: step.method,
    args: step.args,
    coSigners: step.coSigners.map(identityOf),
  };
}

/** Commits one service contract and everything that it rests on. */
async function setUpParents(client: Client, institution: ExampleKey) {
  const month = generateBusinessMonth({
    seed: `bench ${toHex(institution.address)}`,
    startMs: Date.now() - MONTH_AGO_MS,
    institutionAddress: institution.address,
    createKey,
    workers: WORKERS,
  });
  const [work] = month.works;
  if (work === undefined) throw new Error("the month has workers");
  const keys = registrationOf(month.relationKeys);
  for (const call of registerRelationKeysCalls(keys)) await client.execute(call);
  const { service, serviceKey, enterprise } = work.worker;
  for (const step of stepsBehind(month.steps, service.id)) await client.execute(callOf(step));
  return { enterprise: enterprise.frameworkKey, worker: serviceKey, service: service.id };
}
