import { createClient, createIdentity } from "@credlink/client";
import { createSm2Signer, generateKeyPair } from "@credlink/crypto";
import { describe, expect, it } from "vitest";
import { describeCredentialCommands } from "./four-nodes/credential-commands.ts";
import { describeEnrolment } from "./four-nodes/enrolment.ts";
import { describeFaults } from "./four-nodes/faults.ts";
import { describeGovernance } from "./four-nodes/governance.ts";
import { describeMembers } from "./four-nodes/members.ts";
import { all, institutionClient, network, useNetwork } from "./four-nodes/network.ts";
import { describeRefusals } from "./four-nodes/refusals.ts";
import { describeStoppedFiles } from "./four-nodes/stopped-files.ts";
import { relationKeyCall } from "./support/load.ts";

useNetwork();

describe("four validators and an observer", () => {
  it("S-9.2-1: take a transaction; its block has a quorum's signatures on all nodes", async () => {
    const committed = await institutionClient.execute(relationKeyCall());
    expect(committed.header.certificate?.signatures.length).toBeGreaterThanOrEqual(3);
    const agreed = await network.agree(all, committed.header.height);
    expect(agreed.digest).toMatch(/^[0-9a-f]{64}$/);
  });

  it("S-9.3-2, S-9.3-4: every node serves the same proven record", async () => {
    const committed = await institutionClient.execute(relationKeyCall());
    await network.agree(all, committed.header.height);
    for (const name of all) {
      const found = await (await network.client(name)).transaction(committed.id);
      expect(found).toMatchObject({ status: "committed", index: committed.index });
    }
  });

  it("T-4.5-2: nothing is read without a session", async () => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "chain.info", params: {} });
    const headers = { "content-type": "application/json" };
    const response = await fetch(network.node("node-1").rpc, { method: "POST", headers, body });
    expect(response.status).toBe(401);
    const stranger = createIdentity(createSm2Signer(generateKeyPair().privateKey));
    const { rpc: url } = network.node("node-1");
    const denied = createClient({ url, genesis: network.genesis, identity: stranger });
    await expect(denied.info()).rejects.toMatchObject({ details: { httpStatus: 403 } });
  });
});

describeRefusals();
describeMembers();
describeEnrolment();
describeCredentialCommands();
describeGovernance();
describeFaults();
describeStoppedFiles();
