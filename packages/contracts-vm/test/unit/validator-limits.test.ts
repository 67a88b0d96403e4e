import {
  type ChangeValidatorsArgs,
  changeValidatorsArgsCodec,
  enrollArgsCodec,
  readyArgsCodec,
} from "@credlink/ledger";
import { encode, height } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import { ancestorAt, TestChain, transactionOf } from "../support/chain.ts";
import { type Consortium, createConsortium, issue } from "../support/consortium.ts";

const signersOf = ({ admins }: Consortium) => admins.slice(0, 3).map(({ address }) => address);

/** A transaction that changes the list of validators. */
function changing(
  consortium: Consortium,
  args: { readonly add?: ChangeValidatorsArgs["add"]; readonly remove?: readonly string[] },
) {
  return transactionOf({
    contract: "validators",
    method: "change",
    args: encode(changeValidatorsArgsCodec, { add: [], remove: [], ...args }),
    signers: signersOf(consortium),
  });
}

/** A node that is a member, and has said that it follows. */
async function readyNode(consortium: Consortium, chain: TestChain, nodeId: string) {
  const [organization] = consortium.organizations;
  if (organization === undefined) throw new Error("no organisation");
  const node = await issue(organization, "validator", nodeId);
  await chain.run({
    contract: "members",
    method: "enroll",
    args: encode(enrollArgsCodec, { certificates: [node.certificate.der] }),
    signers: signersOf(consortium).slice(0, 1),
  });
  const at = chain.view.height;
  await chain.run({
    contract: "validators",
    method: "ready",
    args: encode(readyArgsCodec, { height: height(at), digest: ancestorAt(at) }),
    signers: [node.address],
  });
  return { nodeId, peerId: `peer of ${nodeId}`, certificate: node.certificate.der };
}

describe("changes of the validators in one block", () => {
  it.each([
    [5, 1],
    [7, 2],
    [10, 3],
    [13, 4],
  ])("%i validators admit %i removals, in transactions of their own or in one", async (n, most) => {
    const consortium = await createConsortium({ validators: n });
    const names = Array.from({ length: most + 1 }, (_, index) => `node-${index}`);
    const apart = new TestChain(consortium.genesis);
    const { receipts } = await apart.block(
      ...names.map((name) => changing(consortium, { remove: [name] })),
    );
    const allowed = Array.from({ length: most }, () => "SUCCESS");
    expect(receipts.map(({ status }) => status)).toEqual([
      ...allowed,
      "VALIDATORS_TOO_MANY_CHANGES",
    ]);
    const together = new TestChain(consortium.genesis);
    const tooMany = await together.block(changing(consortium, { remove: names }));
    expect(tooMany.receipts[0]?.status).toBe("VALIDATORS_TOO_MANY_CHANGES");
    const enough = await together.block(changing(consortium, { remove: names.slice(1) }));
    expect(enough.receipts[0]?.status).toBe("SUCCESS");
  });

  it("a list that grows within a block does not raise that block's limit: 6, 7, not 8", async () => {
    const consortium = await createConsortium({ validators: 6 });
    const chain = new TestChain(consortium.genesis);
    const additions = [
      await readyNode(consortium, chain, "node-6"),
      await readyNode(consortium, chain, "node-7"),
    ];
    const { receipts } = await chain.block(
      ...additions.map((one) => changing(consortium, { add: [one] })),
    );
    expect(receipts.map(({ status }) => status)).toEqual([
      "SUCCESS",
      "VALIDATORS_TOO_MANY_CHANGES",
    ]);
    const next = await chain.block(changing(consortium, { add: additions.slice(1) }));
    expect(next.receipts[0]?.status).toBe("SUCCESS");
  });
});
