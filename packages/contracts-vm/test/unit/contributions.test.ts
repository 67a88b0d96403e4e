import { generateKeyPair } from "@credlink/crypto";
import {
  CONTRIBUTIONS_KEY,
  contributionsCodec,
  defaultGovernance,
  GOVERNANCE_CONTRACT,
  rotateKeyArgsCodec,
} from "@credlink/ledger";
import { decode, encode, utf8 } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import { addContributions } from "../../src/built-in/contributions.ts";
import { call, i32, NAME, VERSION } from "../support/assembler.ts";
import { TestChain, transactionOf } from "../support/chain.ts";
import { type Consortium, createConsortium, type Holder, issue } from "../support/consortium.ts";
import { freshKey, proven } from "../support/key-holder.ts";
import { nth } from "../support/nth.ts";
import { probeGenesis } from "../support/probe.ts";

let consortium: Consortium;
beforeAll(async () => {
  consortium = await createConsortium({ validators: 5 });
});

/** A chain whose contract shares data, by an event that is worth seven points. */
function start(sharing = [{ contract: NAME, topic: "topic", points: 7 }]): TestChain {
  const genesis = probeGenesis(consortium, [i32(1024), i32(5), i32(1029), i32(4), call(0)], {
    module: { imports: ["event"], data: [[1024, utf8("topicdata")]] },
  });
  const names = ["alpha", "beta", "gamma", "delta"];
  const rules = { ...defaultGovernance(names), pointsPerBlock: 2, sharing };
  return new TestChain({ ...genesis, governance: rules });
}

const share = ({ address }: Holder, gasLimit?: number) =>
  transactionOf({
    ...{ contract: NAME, version: VERSION, method: "main", signers: [address] },
    ...(gasLimit === undefined ? {} : { gasLimit }),
  });

function contributionsOf(chain: TestChain) {
  const value = chain.view.get(GOVERNANCE_CONTRACT, CONTRIBUTIONS_KEY);
  return value === null ? [] : decode(contributionsCodec, value);
}

const signers = (chain: TestChain, ...indexes: readonly number[]) => {
  const all = consortium.genesis.validators;
  chain.signers = indexes.map((index) => nth(all, index));
};

describe("T-4.2.3: contribution points", () => {
  it("grow with each block that an organisation's validators signed", async () => {
    const chain = start();
    signers(chain, 0, 1, 4);
    await chain.block();
    signers(chain, 1, 2, 3);
    await chain.block();
    // The validators 0 and 4 are alpha's.
    expect(contributionsOf(chain)).toEqual([
      { organization: "alpha", blocks: 2, events: 0, points: 4 },
      { organization: "beta", blocks: 2, events: 0, points: 4 },
      { organization: "gamma", blocks: 1, events: 0, points: 2 },
      { organization: "delta", blocks: 1, events: 0, points: 2 },
    ]);
  });

  it("grow with the data that its members share, and not with what failed", async () => {
    const chain = start();
    await chain.block(share(consortium.institution), share(nth(consortium.admins, 2)));
    await chain.block(share(consortium.institution), share(consortium.institution, 60_000));
    expect(contributionsOf(chain)).toEqual([
      { organization: "alpha", blocks: 0, events: 2, points: 14 },
      { organization: "gamma", blocks: 0, events: 1, points: 7 },
    ]);
  });

  it("are given for the events alone that the rules name", async () => {
    const chain = start([{ contract: NAME, topic: "other", points: 7 }]);
    const { writes } = await chain.block(share(consortium.institution));
    expect(writes).toEqual([]);
    expect(contributionsOf(chain)).toEqual([]);
  });

  it("follow a validator that took its next key", async () => {
    const chain = start();
    const { address } = nth(consortium.validators, 1);
    const pair = freshKey();
    const beta = nth(consortium.organizations, 1);
    const { certificate } = await issue(beta, "validator", "node-1", pair);
    const proof = proven(pair, address, 1);
    const args = encode(rotateKeyArgsCodec, { ...proof, certificate: certificate.der });
    const rotated = { contract: "members", method: "rotateKey", args, signers: [address] };
    expect((await chain.run(rotated)).status).toBe("SUCCESS");
    chain.signers = [{ ...nth(consortium.genesis.validators, 1), publicKey: pair.publicKey }];
    await chain.block();
    expect(contributionsOf(chain)).toEqual([
      { organization: "beta", blocks: 1, events: 0, points: 2 },
    ]);
  });

  it("ignore a signer that is no member", async () => {
    const chain = start();
    const { publicKey } = generateKeyPair();
    chain.signers = [{ nodeId: "stranger", peerId: "p", publicKey }];
    expect((await chain.block()).writes).toEqual([]);
  });

  it("stop at the largest number, and never grow beyond as many organisations", () => {
    const most = Number.MAX_SAFE_INTEGER;
    const full = { organization: "alpha", blocks: most, events: most - 1, points: most };
    const gain = { blocks: 1, events: 2, points: 3 };
    expect(addContributions([full], new Map([["alpha", gain]]))).toEqual([
      { organization: "alpha", blocks: most, events: most, points: most },
    ]);
    const many = Array.from({ length: 255 }, (_, index) => ({
      ...{ organization: `o${index}`, blocks: 0, events: 0, points: 0 },
    }));
    const two = new Map([
      ["first", gain],
      ["second", gain],
    ]);
    const after = addContributions(many, two);
    expect(after).toHaveLength(256);
    expect(after.at(-1)).toEqual({ organization: "first", ...gain });
    expect(() => encode(contributionsCodec, after)).not.toThrow();
  });
});
