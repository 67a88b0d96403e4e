import { setTimeout as delay } from "node:timers/promises";
import type { RunningNetwork } from "@credlink/cli";
import { type Client, ClientError, createClient, GatewayError } from "@credlink/client";
import {
  CREDENTIAL_CONTRACT,
  CREDENTIAL_CONTRACT_VERSION,
  type CredentialRecord,
  proposalCodec,
  proposalKey,
  proposeArgsCodec,
  recordDigest,
  signArgsCodec,
} from "@credlink/contracts";
import { SUCCESS } from "@credlink/ledger";
import { type Address, decode, encode, equalBytes, invariant, toHex } from "@credlink/primitives";
import type { BusinessMonth } from "../business-month.ts";
import { organizations } from "../demo/participants.ts";
import { identityOf } from "../demo/submissions.ts";
import type { CredentialStep, ExampleKey } from "../step.ts";

/** How long a proposal stays open, milliseconds. */
const OPEN_MS = 7 * 86_400_000;
/** How long a party's node may take to show what another node has committed, milliseconds. */
const FOLLOW_MS = 30_000;

/** What one transaction came to, and where it went in. */
export interface Sent {
  readonly status: string;
  readonly height: number;
  readonly node: string;
}

/**
 * Who acts at which gateway: every key at its own organisation's node and nowhere else. Workers act
 * at the node of the institution that serves them.
 */
export class Desks {
  /** Node -> transactions that went in there. */
  readonly sent = new Map<string, number>();
  readonly #running: RunningNetwork;
  readonly #genesis: Uint8Array;
  readonly #homes = new Map<string, string>();
  readonly #clients = new Map<string, Client>();
  readonly #institution: ExampleKey;

  constructor(
    running: RunningNetwork,
    genesis: Uint8Array,
    members: {
      readonly month: BusinessMonth;
      readonly institution: ExampleKey;
      readonly regulator: ExampleKey;
    },
  ) {
    this.#running = running;
    this.#genesis = genesis;
    this.#institution = members.institution;
    const settle = (address: Address, organization: string): void => {
      this.#homes.set(toHex(address), organization);
    };
    settle(members.institution.address, organizations.institution);
    settle(members.regulator.address, organizations.regulator);
    for (const { key, role } of members.month.relationKeys) {
      if (role === "individual") settle(key.address, organizations.institution);
    }
    for (const [place, enterprise] of members.month.enterprises.entries()) {
      const organization = organizations.enterprises[place];
      invariant(organization !== undefined, "an organisation for each enterprise");
      settle(enterprise.identityKey.address, organization);
      settle(enterprise.frameworkKey.address, organization);
    }
  }

  /** The node of a key's organisation. */
  nodeOf(key: ExampleKey): RunningNetwork["nodes"][number] {
    const home = this.#homes.get(toHex(key.address));
    const node = this.#running.nodes.find(({ organization }) => organization === home);
    invariant(node !== undefined, "every party has an organisation with a node");
    return node;
  }

  /** A party's client of its own node. */
  clientOf(key: ExampleKey): Client {
    const name = toHex(key.address);
    const known = this.#clients.get(name);
    if (known !== undefined) return known;
    const options = { url: this.nodeOf(key).rpc, genesis: this.#genesis };
    const client = createClient({ ...options, identity: identityOf(key) });
    this.#clients.set(name, client);
    return client;
  }

  /** One transaction of one party at its own node, to the credential contract. */
  async send(
    key: ExampleKey,
    call: {
      readonly method: string;
      readonly args: Uint8Array;
      readonly coSigners?: readonly ExampleKey[];
    },
  ): Promise<Sent> {
    const client = this.clientOf(key);
    const { name } = this.nodeOf(key);
    this.sent.set(name, (this.sent.get(name) ?? 0) + 1);
    const place = { contract: CREDENTIAL_CONTRACT, version: CREDENTIAL_CONTRACT_VERSION };
    try {
      const { receipt, header } = await client.submitAndWait(
        await client.build({
          ...{ ...place, method: call.method, args: call.args },
          coSigners: (call.coSigners ?? []).map(identityOf),
        }),
      );
      return { status: receipt.status, height: header.height, node: name };
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      return { status: error.code, height: 0, node: name };
    }
  }

  /** The issuer puts a record on chain for others to sign. */
  propose(issuer: ExampleKey, record: CredentialRecord): Promise<Sent> {
    const untilMs = Date.now() + OPEN_MS;
    const args = encode(proposeArgsCodec, { record, untilMs, correction: null });
    return this.send(issuer, { method: "propose", args });
  }

  /**
   * A party reads the proposal at its own node, proven, holds it to the record that it was sent,
   * and signs that very record.
   */
  async sign(party: ExampleKey, record: CredentialRecord, minHeight: number): Promise<Sent> {
    const digest = await this.#readProposal(party, record, minHeight);
    return this.send(party, {
      method: "sign",
      args: encode(signArgsCodec, { id: record.id, digest }),
    });
  }

  async #readProposal(party: ExampleKey, record: CredentialRecord, minHeight: number) {
    const client = this.clientOf(party);
    const key = proposalKey(record.id);
    const endMs = performance.now() + FOLLOW_MS;
    for (;;) {
      try {
        const { value } = await client.getState(CREDENTIAL_CONTRACT, key, { minHeight });
        if (value === null) throw new Error(`${toHex(record.id)} is not proposed`);
        const { digest } = decode(proposalCodec, value);
        if (equalBytes(digest, recordDigest(record))) return digest;
        throw new Error(`${toHex(record.id)} was proposed as another record`);
      } catch (error) {
        const isBehind = error instanceof ClientError && error.code === "CLIENT_STALE";
        if (!isBehind || performance.now() > endMs) throw error;
        await delay(20);
      }
    }
  }

  /**
   * One step of the month. A record that others must sign is proposed by its issuer, and signed by
   * each party in a transaction of its own; the rest is submitted.
   *
   * @returns the first refusal, or the last transaction.
   */
  async run(step: CredentialStep): Promise<Sent> {
    const sender = step.sender ?? this.#institution;
    if (step.record === null || step.method !== "submit" || step.coSigners.length === 0) {
      return this.send(sender, step);
    }
    const { record } = step;
    const proposed = await this.propose(sender, record);
    if (proposed.status !== SUCCESS) return proposed;
    const signed = await Promise.all(
      step.coSigners.map((party) => this.sign(party, record, proposed.height)),
    );
    const last = signed.toSorted((a, b) => a.height - b.height).at(-1) ?? proposed;
    return signed.find(({ status }) => status !== SUCCESS) ?? last;
  }
}
