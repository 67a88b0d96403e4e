import {
  blockCodec,
  consensusHistoryCodec,
  historyLink,
  historyRecordCodec,
  merkleRoot,
} from "@credlink/ledger";
import { decode, encode, fromHex, toHex, validatorIndex } from "@credlink/primitives";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Client, getConsensusHistory } from "../../src/index.ts";
import { type Committee, createCommittee, TestChain } from "../support/chain.ts";
import { openDoor, type TestGateway } from "../support/gateway.ts";

let committee: Committee;
let chain: TestChain;
let gateway: TestGateway;
let client: Client;

beforeEach(async () => {
  committee = createCommittee(["a", "b", "c", "d"]);
  chain = new TestChain(committee);
  for (let at = 1; at <= 5; at += 1) chain.append([]);
  ({ gateway, client } = await openDoor(chain));
});
afterEach(() => gateway.close());

const altered = { code: "CLIENT_RECORD_ALTERED" };

type Answer = Record<string, string>;

/** Lets the gateway answer one method by another result. */
function lie(method: string, change: (truth: Answer) => object): void {
  gateway.tamper = (called, result) => (called === method ? change(result as Answer) : result);
}

/** The block at a height, with another body under the header that was certified. */
function swapBody(height: number, change: { history?: Uint8Array; evidence?: Uint8Array[] }): void {
  lie("block.get", (truth) => {
    if (Number(truth.height) !== height) return truth;
    const block = decode(blockCodec, fromHex(truth.block ?? ""));
    const body = { ...block.body, ...change };
    return { ...truth, block: toHex(encode(blockCodec, { ...block, body })) };
  });
}

describe("S-9.2-7: the history of consensus", () => {
  it("is bound to the certified block, to the record two heights on, and to its link", async () => {
    const found = await getConsensusHistory(client, 2);
    expect(found.history.digest).toEqual(chain.blocks[2]?.digest);
    expect(found.record?.certificate).toEqual(chain.blocks[2]?.certificate);
    expect(found.link).toEqual(chain.blocks[2]?.link);
    expect(found.below).toEqual(chain.blocks[1]?.link);
    expect((await getConsensusHistory(client, 1)).below).toEqual(chain.genesisDigest);
  });

  it("has no record while there is no block two heights on", async () => {
    expect((await getConsensusHistory(client, 3)).record).not.toBeNull();
    expect((await getConsensusHistory(client, 4)).record).toBeNull();
  });
});

describe("a gateway that lies about a history is caught", () => {
  it("by a record that is not what the later block's header binds", async () => {
    const block = chain.blocks[2];
    if (block === undefined) throw new Error("the chain has block 2");
    // As good a certificate of the same block: of other signers than the proposer of 4 recorded.
    const certificate = chain.certify(block.block.header, committee, [1, 2, 3]);
    const history = encode(historyRecordCodec, { certificate, justification: null });
    swapBody(4, { history });
    await expect(getConsensusHistory(client, 2)).rejects.toMatchObject(altered);
    swapBody(4, { history: new Uint8Array(0) });
    await expect(getConsensusHistory(client, 2)).rejects.toMatchObject(altered);
  });

  it("by evidence that the block's header does not bind", async () => {
    swapBody(4, { evidence: [Uint8Array.of(1)] });
    await expect(client.block(4)).rejects.toMatchObject(altered);
  });

  it("by a record that it withholds although its own head is above it", async () => {
    gateway.refuse("block.get", "API_NOT_FOUND");
    await expect(getConsensusHistory(client, 2)).rejects.toMatchObject(altered);
    expect((await getConsensusHistory(client, 4)).record).toBeNull();
  });

  it("by a head below what it has proven before", async () => {
    await client.header(5);
    lie("chain.info", (truth) => ({ ...truth, height: 3 }));
    gateway.refuse("block.get", "API_NOT_FOUND");
    await expect(getConsensusHistory(client, 2)).rejects.toMatchObject(altered);
  });

  it("by a link that does not bind the history it comes with", async () => {
    const other = toHex(chain.blocks[1]?.digest ?? new Uint8Array(32));
    for (const field of ["link", "below"]) {
      lie("consensus.history", (truth) => ({ ...truth, [field]: other }));
      await expect(getConsensusHistory(client, 2), field).rejects.toMatchObject(altered);
    }
    // Height 1 stands on genesis: no other link below it is believed, however well it is linked.
    lie("consensus.history", (truth) => {
      const below = merkleRoot([]);
      const link = toHex(historyLink(below, fromHex(truth.history ?? "")));
      return { ...truth, below: toHex(below), link };
    });
    await expect(getConsensusHistory(client, 1)).rejects.toMatchObject(altered);
  });

  it("by a vote that nobody cast, relinked as the node itself would", async () => {
    lie("consensus.history", (truth) => {
      const history = decode(consensusHistoryCodec, fromHex(truth.history ?? ""));
      const statements = history.statements.map((each) => ({ ...each, sender: validatorIndex(3) }));
      const payload = encode(consensusHistoryCodec, { ...history, statements });
      const link = toHex(historyLink(chain.blocks[1]?.link ?? merkleRoot([]), payload));
      return { ...truth, history: toHex(payload), link };
    });
    await expect(getConsensusHistory(client, 2)).rejects.toMatchObject(altered);
  });

  it("by the history of another block, or with a certificate below a quorum", async () => {
    lie("consensus.history", () => chain.historyAnswer(3) ?? {});
    await expect(getConsensusHistory(client, 2)).rejects.toMatchObject(altered);
    const header = chain.blocks[2]?.block.header;
    if (header === undefined) throw new Error("the chain has block 2");
    const certificate = chain.certify(header, committee, [0, 1]);
    lie("consensus.history", (truth) => {
      const history = decode(consensusHistoryCodec, fromHex(truth.history ?? ""));
      const payload = encode(consensusHistoryCodec, { ...history, certificate });
      return { ...truth, history: toHex(payload) };
    });
    await expect(getConsensusHistory(client, 2)).rejects.toMatchObject({
      code: "CLIENT_CERTIFICATE_INVALID",
    });
  });
});
