import type { ProvenEvidence } from "@credlink/client";
import type { Evidence } from "@credlink/consensus-pbft";
import { digest, height, validatorIndex, view } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import { describeEvidence, renderEvidence } from "../../src/commands/evidence.ts";

const digestOf = (fill: number) => digest(new Uint8Array(32).fill(fill));
const signatureOf = (fill: number) => new Uint8Array(64).fill(fill);
const hex = (fill: number, bytes: number) => fill.toString(16).padStart(2, "0").repeat(bytes);

const place = { height: height(7), view: view(1), sender: validatorIndex(2) };
const votes = {
  first: { digest: digestOf(1), signature: signatureOf(3) },
  second: { digest: digestOf(2), signature: signatureOf(4) },
};
const denial = { preparedView: null, preparedDigest: null, signature: signatureOf(5) };
const lock = { preparedView: view(0), preparedDigest: digestOf(6), signature: signatureOf(7) };

/** Only what is shown: how it was proven is the client's. */
function proven(evidence: Evidence): ProvenEvidence {
  const at = (value: number) => ({
    height: height(value),
    digest: digestOf(value),
    header: { validatorsHash: digestOf(9) },
  });
  return {
    record: { nodeId: "node-3", publicKey: new Uint8Array(65) },
    evidence,
    signedDigests: [digestOf(10), digestOf(11)],
    ...{ offence: at(7), recorded: at(8), head: at(12) },
  } as unknown as ProvenEvidence;
}

const kinds: readonly (readonly [Evidence, string, readonly object[]])[] = [
  [
    { type: "pre-prepare", ...place, parentDigest: digestOf(8), ...votes },
    "proposed two blocks on one parent",
    [
      { type: "pre-prepare", view: 1, parentDigest: hex(8, 32), digest: hex(1, 32) },
      { type: "pre-prepare", view: 1, parentDigest: hex(8, 32), digest: hex(2, 32) },
    ],
  ],
  [
    { type: "prepare", ...place, ...votes },
    "prepared two blocks",
    [
      { type: "prepare", view: 1, digest: hex(1, 32), signature: hex(3, 64) },
      { type: "prepare", view: 1, digest: hex(2, 32), signature: hex(4, 64) },
    ],
  ],
  [
    { type: "view-change", ...place, first: denial, second: lock },
    "claimed two locks in one view change",
    [
      { type: "view-change", view: 1, preparedView: null, preparedDigest: null },
      { type: "view-change", view: 1, preparedView: 0, preparedDigest: hex(6, 32) },
    ],
  ],
  [
    { type: "amnesia", ...place, commit: votes.first, later: { view: view(3), ...denial } },
    "committed to a block and later denied it",
    [
      { type: "commit", view: 1, digest: hex(1, 32), signature: hex(3, 64) },
      { type: "view-change", view: 3, preparedView: null, signature: hex(5, 64) },
    ],
  ],
];

describe("evidence as the command shows it", () => {
  it.each(kinds)(
    "%#: both messages, by their own views and fields",
    (evidence, title, messages) => {
      const shown = describeEvidence(proven(evidence));
      expect(shown).toMatchObject({
        ...{ kind: evidence.type, height: 7, view: 1, messages },
        validator: { index: 2, nodeId: "node-3" },
        ...{ recorded: { height: 8 }, provenAt: { height: 12 } },
      });
      expect(shown.messages.map((each) => each.signedDigest)).toEqual([hex(10, 32), hex(11, 32)]);
      const text = renderEvidence(shown);
      expect(text).toContain(`node-3 (validator 2) ${title} at height 7, view 1`);
      expect(text).toContain(`recorded in block 8 ${hex(8, 32)}`);
      for (const { signature } of shown.messages) expect(text).toContain(`signature ${signature}`);
    },
  );
});
