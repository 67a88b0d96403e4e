import {
  enrollArgsCodec,
  getMemberArgsCodec,
  memberCodec,
  setMemberStatusArgsCodec,
} from "@credlink/ledger";
import { type Address, decode, encode } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import { enrolledCodec } from "../../src/index.ts";
import { TestChain } from "../support/chain.ts";
import { type Consortium, createConsortium, type Holder, issue } from "../support/consortium.ts";

let consortium: Consortium;
beforeAll(async () => {
  consortium = await createConsortium();
});

describe("members", () => {
  it("enrols by an admin of the organisation", async () => {
    const chain = new TestChain(consortium.genesis);
    const [alpha] = consortium.organizations;
    const [admin] = consortium.admins;
    if (alpha === undefined || admin === undefined) throw new Error();
    const worker = await issue(alpha, "individual", "worker");
    const receipt = await chain.run({
      contract: "members",
      method: "enroll",
      args: encode(enrollArgsCodec, { certificates: [worker.certificate.der] }),
      signers: [admin.address],
    });
    console.log(receipt.status, receipt.gasUsed);
    expect(receipt.status).toBe("SUCCESS");
  });
});
