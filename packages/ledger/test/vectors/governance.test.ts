import {
  address,
  type Codec,
  decode,
  digest,
  encode,
  height,
  toHex,
  utf8,
  utf8ToText,
} from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import {
  contributionsCodec,
  defaultGovernance,
  type GovernanceRules,
  governanceRulesCodec,
  type Proposal,
  proposalArgsKey,
  proposalCodec,
  proposalDigest,
  proposalKey,
  proposalListCodec,
  proposeArgsCodec,
  setContractFrozenArgsCodec,
  setDelegatesArgsCodec,
  setWeightArgsCodec,
  voteArgsCodec,
} from "../../src/index.ts";

const one = digest(new Uint8Array(32).fill(1));
const member = address(new Uint8Array(32).fill(2));
const rules: GovernanceRules = {
  ...defaultGovernance([]),
  voters: [{ organization: "a", weight: 3 }],
};
const proposal: Proposal = {
  number: 7,
  digest: one,
  decision: "constitutional",
  contract: "c",
  method: "m",
  argsDigest: one,
  executeAt: height(9),
  proposer: member,
  organization: "a",
  proposedAt: height(4),
  expiresMs: 5,
  votes: [{ organization: "a", approve: true, voter: member, height: height(4) }],
  state: "passed",
  changedAt: height(4),
  notBeforeMs: 6,
  status: "",
  gasUsed: 0,
};

/** Bytes that this version of the formats must make and read, for ever. */
const formats: readonly (readonly [name: string, bytes: () => Uint8Array, golden: string])[] = [
  ["rules", codec(governanceRulesCodec, rules), "9b9192a16103950102d300000000240c8400d3000000000000000094aa656e7465727072697365aa696e646976696475616cab696e737469747574696f6ea9726567756c61746f72950203d30000000048190800d3000000000000000094aa656e7465727072697365aa696e646976696475616cab696e737469747574696f6ea9726567756c61746f72950103d30000000005265c00d3000000000000000094aa656e7465727072697365aa696e646976696475616cab696e737469747574696f6ea9726567756c61746f72d300000000240c8400400804d30000000002faf080019293aa63726564656e7469616cb463726564656e7469616c2e7375626d69747465640a93aa63726564656e7469616cb463726564656e7469616c2e7075626c69736865640a"],
  ["propose", codec(proposeArgsCodec, { contract: "c", method: "m", args: utf8("x"), executeAt: height(9) }), "94a163a16dc40178d30000000000000009"],
  ["vote", codec(voteArgsCodec, { number: 7, digest: one, approve: false }), "93d30000000000000007c4200101010101010101010101010101010101010101010101010101010101010101c2"],
  ["delegates", codec(setDelegatesArgsCodec, { delegates: [member] }), "9191c4200202020202020202020202020202020202020202020202020202020202020202"],
  ["weight", codec(setWeightArgsCodec, { organization: "a", weight: 2 }), "92a16102"],
  ["no weight", codec(setWeightArgsCodec, { organization: "a", weight: null }), "92a161c0"],
  ["proposal", codec(proposalCodec, proposal), "dc0011d30000000000000007c4200101010101010101010101010101010101010101010101010101010101010101ae636f6e737469747574696f6e616ca163a16dc4200101010101010101010101010101010101010101010101010101010101010101d30000000000000009c4200202020202020202020202020202020202020202020202020202020202020202a161d30000000000000004d300000000000000059194a161c3c4200202020202020202020202020202020202020202020202020202020202020202d30000000000000004a6706173736564d30000000000000004d30000000000000006a0d30000000000000000"],
  [
    "contributions",
    codec(contributionsCodec, [{ organization: "a", blocks: 1, events: 2, points: 3 }]),
    "9194a161d30000000000000001d30000000000000002d30000000000000003",
  ],
  ["freeze", codec(setContractFrozenArgsCodec, { name: "c", isFrozen: true }), "92a163c3"],
];

function codec<T>(of: Codec<T>, value: T): () => Uint8Array {
  return () => {
    const bytes = encode(of, value);
    expect(decode(of, bytes)).toEqual(value);
    return bytes;
  };
}

describe("golden bytes of governance", () => {
  it.each(formats)("%s", (_, bytes, golden) => {
    expect(toHex(bytes())).toBe(golden);
  });

  it("of a list, which leaves most of a proposal out", () => {
    expect(toHex(encode(proposalListCodec, [proposal]))).toBe("9199d30000000000000007c4200101010101010101010101010101010101010101010101010101010101010101ae636f6e737469747574696f6e616ca163a16da161a6706173736564d30000000000000009d30000000000000005");
  });

  it("the digest that votes are for, of the chain, the number and the call", () => {
    expect(toHex(proposalDigest("chain", proposal))).toBe("c2e0dfa917e3c04ef54b817b3a0faefe43a3082ae0031663f76cf222dc1792bb");
    for (const change of [{ number: 8 }, { organization: "b" }, { contract: "d" }, { method: "n" }]) {
      expect(proposalDigest("chain", { ...proposal, ...change })).not.toEqual(
        proposalDigest("chain", proposal),
      );
    }
    expect(proposalDigest("other", proposal)).not.toEqual(proposalDigest("chain", proposal));
  });

  it("keys of proposals and their arguments", () => {
    expect(toHex(proposalKey(7))).toBe(`${toHex(utf8("proposal/"))}0000000000000007`);
    expect(utf8ToText(proposalArgsKey(0x61)).slice(0, 5)).toBe("args/");
  });
});
