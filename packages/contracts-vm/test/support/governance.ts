import {
  defaultGovernance,
  type Genesis,
  type GovernedCall,
  listProposalsArgsCodec,
  type Proposal,
  proposalCodec,
  proposalListCodec,
  proposalNumberArgsCodec,
  proposeArgsCodec,
  proposedCodec,
  type Receipt,
  voteArgsCodec,
} from "@credlink/ledger";
import { decode, encode, height } from "@credlink/primitives";
import type { TestChain } from "./chain.ts";
import type { Consortium, Holder } from "./consortium.ts";
import { nth } from "./nth.ts";

/** A genesis of only the first organisations of a consortium, with their members and validators. */
export function genesisOf(consortium: Consortium, count: number): Genesis {
  const organizations = consortium.genesis.organizations.slice(0, count);
  const names = organizations.map(({ name }) => name);
  const isTheirs = ({ certificate }: Holder) => names.includes(certificate.subject.organization);
  const { admins, validators, institution, enterprise, regulator } = consortium;
  const holders = [...admins, ...validators, institution, enterprise, regulator].filter(isTheirs);
  return {
    ...consortium.genesis,
    organizations,
    allowNonByzantine: true,
    members: holders.map(({ certificate }) => ({ certificate: certificate.der })),
    validators: consortium.genesis.validators.filter((_, at) => isTheirs(nth(validators, at))),
    governance: defaultGovernance(names),
  };
}

/** Calls of governance on a chain, signed by whom it is told. */
export class Governance {
  readonly chain: TestChain;
  private readonly reader: Holder;

  /** @param reader a member that asks */
  constructor(chain: TestChain, reader: Holder) {
    this.chain = chain;
    this.reader = reader;
  }

  run(method: string, args: Uint8Array, ...signers: readonly Holder[]): Promise<Receipt> {
    const addresses = signers.map(({ address }) => address);
    return this.chain.run({ contract: "governance", method, args, signers: addresses });
  }

  propose(call: GovernedCall, executeAt: number, ...signers: readonly Holder[]): Promise<Receipt> {
    const args = encode(proposeArgsCodec, { ...call, executeAt: height(executeAt) });
    return this.run("propose", args, ...signers);
  }

  /** Proposes and returns the number. */
  async open(call: GovernedCall, executeAt: number, ...signers: readonly Holder[]) {
    const { status, returnValue } = await this.propose(call, executeAt, ...signers);
    if (status !== "SUCCESS") throw new Error(status);
    return decode(proposedCodec, returnValue).number;
  }

  async vote(number: number, approve: boolean, ...signers: readonly Holder[]): Promise<string> {
    const { digest } = await this.get(number);
    const args = encode(voteArgsCodec, { number, digest, approve });
    return (await this.run("vote", args, ...signers)).status;
  }

  async cancel(number: number, ...signers: readonly Holder[]): Promise<string> {
    const args = encode(proposalNumberArgsCodec, { number });
    return (await this.run("cancel", args, ...signers)).status;
  }

  async get(number: number): Promise<Proposal> {
    const args = encode(proposalNumberArgsCodec, { number });
    return decode(proposalCodec, await this.query("get", args));
  }

  async list(from: number, limit: number) {
    const args = encode(listProposalsArgsCodec, { from, limit });
    return decode(proposalListCodec, await this.query("list", args));
  }

  async query(method: string, args: Uint8Array): Promise<Uint8Array> {
    const call = { contract: "governance", method, args, signers: [this.reader.address] };
    const { status, returnValue } = await this.chain.query(call);
    if (status !== "SUCCESS") throw new Error(status);
    return returnValue;
  }
}
