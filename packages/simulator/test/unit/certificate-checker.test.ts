import type { Message, ViewChange } from "@credlink/consensus-pbft";
import { validatorIndex, view } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import { CertificateChecker } from "../../src/certificate-checker.ts";
import { at, block, brokenBy, createBench } from "./helpers.ts";

const bench = createBench();
const { vote, certificate, sign } = bench;

function createChecker(): CertificateChecker {
  return new CertificateChecker(bench.chain, bench.known, bench.profile.verifyOne);
}

/** Feeds messages in order; the number of the first broken invariant, or null. */
function judge(messages: readonly Message[], isHonest = false): string | null {
  const checker = createChecker();
  return brokenBy(() => {
    for (const message of messages) checker.check(message, isHonest);
  });
}

async function votes(
  type: "prepare" | "commit",
  v: number,
  of: number,
  signers: readonly number[],
): Promise<readonly Message[]> {
  return Promise.all(signers.map((signer) => vote(type, 1, v, block(of), signer)));
}

async function viewChange(signers: readonly number[], of = 1): Promise<ViewChange> {
  return sign<ViewChange>({
    type: "view-change",
    ...at(1, 1),
    preparedView: view(0),
    preparedDigest: block(of),
    sender: validatorIndex(3),
    prepared: await certificate("prepare", 1, 0, block(of), signers),
  });
}

describe("negative control I10: the lemmas of the safety proof", () => {
  it("L1: a second digest prepared in one view is seen, by votes alone", async () => {
    const first = await votes("prepare", 0, 1, [0, 1, 2]);
    expect(judge([...first, ...(await votes("prepare", 0, 2, [1, 3]))])).toBe(null);
    expect(judge([...first, ...(await votes("prepare", 0, 2, [1, 2, 3]))])).toBe("I10");
    // In another view it is no contradiction by itself.
    expect(judge([...first, ...(await votes("prepare", 1, 2, [1, 2, 3]))])).toBe(null);
  });

  it("L2: another digest prepared at or above a committed view is seen, in either order", async () => {
    const committed = await votes("commit", 1, 1, [0, 1, 2]);
    const above = await votes("prepare", 2, 2, [0, 1, 3]);
    const below = await votes("prepare", 0, 2, [0, 1, 3]);
    expect(judge([...committed, ...above])).toBe("I10");
    expect(judge([...above, ...committed])).toBe("I10");
    expect(judge([...below, ...committed])).toBe(null);
  });

  it("L3: a second committed digest is seen whatever its view", async () => {
    const [a, b] = [await votes("commit", 0, 1, [0, 1, 2]), await votes("commit", 3, 2, [0, 1, 3])];
    expect(judge([...a, ...b])).toBe("I10");
  });

  it("does not count one signer twice, nor a vote that is not signed by it", async () => {
    const first = await votes("prepare", 0, 1, [0, 1, 2]);
    const [one, two] = await votes("prepare", 0, 2, [1, 3]);
    if (one === undefined || two === undefined) throw new Error("no votes");
    const forged = { ...two, sender: validatorIndex(2) } as Message;
    expect(judge([...first, one, one, two, two, forged])).toBe(null);
  });
});

describe("negative control I9: certificates of honest senders", () => {
  it("a quorum of distinct signers passes, fewer or a signer twice do not", async () => {
    expect(judge([await viewChange([0, 1, 2])], true)).toBe(null);
    expect(judge([await viewChange([0, 1])], true)).toBe("I9");
    expect(judge([await viewChange([0, 1, 1])], true)).toBe("I9");
  });

  it("a signature for another digest or view is found inside", async () => {
    const good = await viewChange([0, 1, 2]);
    const other = await certificate("prepare", 1, 1, block(1), [0, 1, 2]);
    if (good.prepared === null) throw new Error("no certificate");
    const mixed = { ...good.prepared, signatures: other.signatures };
    expect(judge([{ ...good, prepared: mixed }], true)).toBe("I9");
    // A traitor may send what it likes; nothing follows from it.
    expect(judge([{ ...good, prepared: mixed }], false)).toBe(null);
  });

  it("a justification must follow from q view changes and carry the highest certificate", async () => {
    const changes = await Promise.all(
      [0, 1, 2].map((sender) =>
        sign<ViewChange>({
          type: "view-change",
          ...at(1, 1),
          preparedView: sender === 1 ? view(0) : null,
          preparedDigest: sender === 1 ? block(1) : null,
          sender: validatorIndex(sender),
          prepared: null,
        }),
      ),
    );
    const prepared = await certificate("prepare", 1, 0, block(1), [0, 1, 2]);
    const base = await bench.proposal(1, 1, block(1), 1);
    const justified = (part: {
      readonly viewChanges: typeof changes;
      readonly prepared: typeof prepared | null;
    }) => judge([{ ...base, justification: part }], true);
    expect(justified({ viewChanges: changes, prepared })).toBe(null);
    expect(justified({ viewChanges: changes.slice(1), prepared })).toBe("I9");
    expect(justified({ viewChanges: changes, prepared: null })).toBe("I9");
    const other = await certificate("prepare", 1, 0, block(2), [0, 1, 2]);
    expect(justified({ viewChanges: changes, prepared: other })).toBe("I9");
  });
});

describe("negative control I16: an honest vote that nobody would accept", () => {
  it("is found by its signature", async () => {
    const good = await vote("prepare", 1, 0, block(1), 1);
    expect(judge([good], true)).toBe(null);
    expect(judge([{ ...good, digest: block(2) }], true)).toBe("I16");
  });
});
