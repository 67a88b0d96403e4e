import {
  type Evidence,
  encodeEvidence,
  evidenceClaims,
} from "@credlink/consensus-pbft/certificates";
import { sm2Sign } from "@credlink/crypto";
import {
  blockCodec,
  evidenceKey,
  listEvidenceArgsCodec,
  MAX_BLOCK_EVIDENCE,
  type Misbehaviour,
  misbehaviourCodec,
  misbehaviourListCodec,
  VALIDATORS_CONTRACT,
} from "@credlink/ledger";
import {
  compareBytes,
  decode,
  digest,
  encode,
  fromHex,
  height,
  toHex,
  validatorIndex,
  view,
} from "@credlink/primitives";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Client, getEvidence, listEvidence, MAX_EVIDENCE_PAGE } from "../../src/index.ts";
import { type Committee, createCommittee, TestChain } from "../support/chain.ts";
import { openDoor, type TestGateway } from "../support/gateway.ts";

let committee: Committee;
let chain: TestChain;
let gateway: TestGateway;
let client: Client;

/** Two PREPAREs of one validator for different blocks, signed with its key or another's. */
function twoPrepares(at: number, index: number, signer = index): Evidence {
  const draft = {
    type: "prepare" as const,
    height: height(at),
    view: view(0),
    sender: validatorIndex(index),
  };
  const unsigned = [1, 2].map((fill) => ({
    digest: digest(new Uint8Array(32).fill(fill)),
    signature: new Uint8Array(64),
  }));
  const [first, second] = unsigned;
  if (first === undefined || second === undefined) throw new Error("two votes");
  const { chainId } = chain.genesis;
  const { genesisDigest } = chain;
  const context = { chainId, genesisDigest, validatorsHash: committee.set.hash };
  const [one, other] = evidenceClaims({ ...draft, first, second }, context).map(({ message }) =>
    sm2Sign(committee.keys[signer]?.privateKey ?? new Uint8Array(32), message),
  );
  if (one === undefined || other === undefined) throw new Error("two signatures");
  return {
    ...draft,
    first: { ...first, signature: one },
    second: { ...second, signature: other },
  };
}

function recordOf(evidence: Evidence, recordedAt: number): Misbehaviour {
  const validator = committee.set.validators[evidence.sender];
  if (validator === undefined) throw new Error("no such validator");
  return {
    height: evidence.height,
    nodeId: validator.nodeId,
    publicKey: validator.publicKey,
    evidence: encodeEvidence(evidence),
    recordedAt: height(recordedAt),
  };
}

const keyOf = (record: Misbehaviour): Uint8Array => evidenceKey(record.height, record.publicKey);

/** Appends a block that carries these pieces, with the state that lists `records`. */
function append(pieces: readonly Evidence[], records: readonly Misbehaviour[]): void {
  chain.append([], {
    evidence: pieces.map(encodeEvidence),
    state: records.map((record) => ({
      contract: VALIDATORS_CONTRACT,
      key: keyOf(record),
      value: encode(misbehaviourCodec, record),
    })),
  });
}

/** What `validators.evidence` answers of these records. */
function serve(records: readonly Misbehaviour[]): void {
  const ascending = [...records].sort((a, b) => compareBytes(keyOf(a), keyOf(b)));
  gateway.query = ({ args }) => {
    const { fromHeight, skip } = decode(listEvidenceArgsCodec, fromHex(args ?? ""));
    const rest = ascending.filter((each) => each.height >= fromHeight);
    return encode(misbehaviourListCodec, rest.slice(skip, skip + 16));
  };
}

/** A chain whose block 3 carries two pieces: of validator 3 at height 1, of 1 at height 2. */
function convictTwo(): readonly [Misbehaviour, Misbehaviour] {
  const pieces = [twoPrepares(1, 3), twoPrepares(2, 1)] as const;
  const records = [recordOf(pieces[0], 3), recordOf(pieces[1], 3)] as const;
  append(pieces, records);
  serve(records);
  return records;
}

const altered = { code: "CLIENT_RECORD_ALTERED" };

beforeEach(async () => {
  committee = createCommittee(["a", "b", "c", "d"]);
  chain = new TestChain(committee);
  chain.append([]);
  chain.append([]);
  ({ gateway, client } = await openDoor(chain));
});
afterEach(() => gateway.close());

describe("evidence on chain", () => {
  it("is told with who, where, both messages, and the block that recorded it", async () => {
    const [first, second] = convictTwo();
    const { found, nextHeight } = await listEvidence(client);
    expect(found.map(({ record }) => record)).toEqual([first, second]);
    expect(nextHeight).toBeNull();
    const [one] = found;
    expect(one?.evidence).toMatchObject({ type: "prepare", height: 1, view: 0, sender: 3 });
    expect(one && encodeEvidence(one.evidence)).toEqual(first.evidence);
    expect(one?.recorded.digest).toEqual(chain.blocks[3]?.digest);
    expect(one?.offence.height).toBe(1);
    expect(one?.signedDigests).toHaveLength(2);
  });

  it("of one height is whole: who has no record is proven to have none", async () => {
    const [first] = convictTwo();
    const whole = await getEvidence(client, 1);
    expect(whole.found.map(({ record }) => record)).toEqual([first]);
    expect([...whole.clean].sort()).toEqual(["a", "b", "c"]);
    expect(await getEvidence(client, 1, "a")).toEqual({ found: [], clean: ["a"] });
    expect((await getEvidence(client, 2, "b")).found).toHaveLength(1);
    // No list was asked for: a gateway cannot shorten what it is not asked.
    expect(gateway.calls).not.toContain("contract.query");
    await expect(getEvidence(client, 1, "e")).rejects.toMatchObject({
      code: "CLIENT_NOT_A_VALIDATOR",
    });
  });

  it("of one validator is picked from the list, and pages end at whole heights", async () => {
    const pieces = [0, 1, 2, 3].flatMap((index) => [twoPrepares(1, index), twoPrepares(2, index)]);
    const records = pieces.map((piece) => recordOf(piece, 3));
    append(pieces, records);
    serve(records);
    const picked = await listEvidence(client, { nodeId: "c" });
    expect(picked.found.map(({ record }) => [record.height, record.nodeId])).toEqual([
      [1, "c"],
      [2, "c"],
    ]);
    const page = await listEvidence(client, { limit: 1 });
    expect([page.found.length, page.nextHeight]).toEqual([4, 2]);
    const rest = await listEvidence(client, { limit: MAX_EVIDENCE_PAGE, fromHeight: 2 });
    expect([rest.found.length, rest.nextHeight]).toEqual([4, null]);
  });

  it("is read on over more queries than one, in order, each record once", async () => {
    for (let at = 3; at <= 7; at += 1) chain.append([]);
    const pieces = [1, 2, 3, 4, 5].flatMap((at) => [0, 1, 2, 3].map((i) => twoPrepares(at, i)));
    const records = pieces.map((piece, at) => recordOf(piece, at < MAX_BLOCK_EVIDENCE ? 8 : 9));
    append(pieces.slice(0, MAX_BLOCK_EVIDENCE), records);
    append(pieces.slice(MAX_BLOCK_EVIDENCE), records);
    serve(records);
    const { found, nextHeight } = await listEvidence(client, { limit: 17 });
    expect(found.map(({ record }) => record.height)).toEqual(
      [1, 2, 3, 4, 5].flatMap((at) => [at, at, at, at]),
    );
    expect(nextHeight).toBeNull();
    expect(gateway.calls.filter((each) => each === "contract.query")).toHaveLength(2);
  });

  it.each([0, MAX_EVIDENCE_PAGE + 1, 1.5])("is not listed by a limit of %d", async (limit) => {
    await expect(listEvidence(client, { limit })).rejects.toMatchObject({
      code: "CLIENT_PARAMS_INVALID",
    });
  });
});

describe("a gateway that lies about evidence is caught", () => {
  it("by a record that the state does not hold", async () => {
    const [first] = convictTwo();
    const invented = recordOf(twoPrepares(2, 0), 3);
    serve([first, invented]);
    await expect(listEvidence(client)).rejects.toMatchObject(altered);
  });

  it("by a record that the state holds of another than it names", async () => {
    const [first] = convictTwo();
    serve([{ ...first, nodeId: "a" }]);
    await expect(listEvidence(client)).rejects.toMatchObject(altered);
  });

  it("by a record altered on the way, or kept back", async () => {
    const [first] = convictTwo();
    const other = encode(misbehaviourCodec, { ...first, recordedAt: height(2) });
    for (const value of [toHex(other), null]) {
      gateway.tamper = (method, result) =>
        method === "state.get" ? { ...(result as object), value } : result;
      await expect(getEvidence(client, 1, "d")).rejects.toMatchObject({
        code: "CLIENT_PROOF_INVALID",
      });
    }
  });

  it("by a block whose body does not carry it", async () => {
    convictTwo();
    gateway.tamper = (method, result) => {
      if (method !== "block.get") return result;
      const answer = result as { readonly block: string };
      const block = decode(blockCodec, fromHex(answer.block));
      const bare = { ...block, body: { ...block.body, evidence: [] } };
      return { ...answer, block: toHex(encode(blockCodec, bare)) };
    };
    await expect(getEvidence(client, 1, "d")).rejects.toMatchObject(altered);
  });

  it("by a list that goes round in circles, and by one without an end", async () => {
    const [first, second] = convictTwo();
    gateway.query = () => encode(misbehaviourListCodec, [second, first]);
    await expect(listEvidence(client)).rejects.toMatchObject(altered);
    // Ever new signers of one height, none of them asked for, so that none must be proven.
    let at = 0;
    gateway.query = () => {
      const page = Array.from({ length: 16 }, () => {
        at += 1;
        const publicKey = new Uint8Array(65).fill(at & 255).fill(at >> 8, 32);
        return { ...first, publicKey, nodeId: "x" };
      });
      const ascending = page.sort((a, b) => compareBytes(keyOf(a), keyOf(b)));
      return encode(misbehaviourListCodec, ascending);
    };
    await expect(listEvidence(client, { nodeId: "y" })).rejects.toMatchObject(altered);
    expect(at).toBeLessThan(400);
  });
});

describe("a chain that recorded what proves nothing is not believed", () => {
  it.each([
    ["signed by another", () => twoPrepares(1, 3, 2)],
    ["of another validator than the record names", () => twoPrepares(1, 2)],
    ["of another height", () => twoPrepares(2, 3)],
  ])("%s", async (_, make) => {
    const piece = make();
    const record = { ...recordOf(twoPrepares(1, 3), 3), evidence: encodeEvidence(piece) };
    append([piece], [record]);
    await expect(getEvidence(client, 1, "d")).rejects.toMatchObject(altered);
  });

  it("the validators of that height are those whom its certified header names", async () => {
    convictTwo();
    const others = createCommittee(["a", "b", "c", "d"]).set.validators;
    gateway.tamper = (method, result) =>
      method === "chain.validators"
        ? { validators: others.map((each) => ({ ...each, publicKey: toHex(each.publicKey) })) }
        : result;
    await expect(getEvidence(client, 1)).rejects.toMatchObject({
      code: "CLIENT_VALIDATORS_UNKNOWN",
    });
  });
});
