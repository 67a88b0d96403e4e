import { join } from "node:path";
import {
  createIdentity,
  type SignedCall,
  setMemberStatusCall,
  signTransaction,
} from "@credlink/client";
import { createSm2Signer, generateKeyPair } from "@credlink/crypto";
import { signedTransactionCodec, TRANSACTION_VERSION, transactionId } from "@credlink/ledger";
import { decode, encode, height, toHex } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import { credlinkJson } from "../support/command.ts";
import { refusalOf, relationKeyCall } from "../support/load.ts";
import { admin, all, institution, institutionClient, network } from "./network.ts";

/** A transaction with some of its fields changed, signed by its sender. */
function craft(change: Partial<Parameters<typeof signTransaction>[0]>, sender = institution) {
  const call = relationKeyCall();
  return signTransaction(
    {
      version: TRANSACTION_VERSION,
      chainId: admin.genesis.chainId,
      sender: sender.address,
      nonce: crypto.getRandomValues(new Uint8Array(16)),
      expiryHeight: height(800),
      contract: call.contract,
      contractVersion: call.version,
      method: call.method,
      args: call.args,
      gasLimit: 10_000_000,
      ...change,
    },
    admin.genesisDigest,
    sender,
  );
}

/** What the door refuses, and what a block holds as failed. */
export function describeRefusals(): void {
  describe("each refused transaction has its own code", () => {
    it.each<[string, string, () => Promise<SignedCall>]>([
      ["of another chain", "LEDGER_TRANSACTION_WRONG_CHAIN", () => craft({ chainId: "other" })],
      ["that is expired", "LEDGER_TRANSACTION_EXPIRED", () => craft({ expiryHeight: height(0) })],
      [
        "that expires too far ahead",
        "LEDGER_TRANSACTION_EXPIRY_TOO_FAR",
        () => craft({ expiryHeight: height(1_000_000) }),
      ],
      [
        "of an unknown sender",
        "LEDGER_TRANSACTION_SENDER_UNKNOWN",
        async () => {
          const stranger = createIdentity(createSm2Signer(generateKeyPair().privateKey));
          return craft({ sender: stranger.address }, stranger);
        },
      ],
      [
        "with a wrong signature",
        "LEDGER_TRANSACTION_SIGNATURE_INVALID",
        async () => {
          const other = createSm2Signer(generateKeyPair().privateKey);
          return craft({}, createIdentity(other, institution.address));
        },
      ],
      ["with too much gas", "LEDGER_TRANSACTION_GAS_LIMIT", () => craft({ gasLimit: 2 ** 50 })],
      [
        "of a node's key to a contract that is not built in",
        "LEDGER_TRANSACTION_CONTRACT_NOT_ALLOWED",
        async () => {
          const { loadIdentity } = await import("@credlink/cli");
          const folder = network.nodeDir("node-1");
          const node = await loadIdentity(join(folder, "node.key"), join(folder, "node.password"));
          return craft({ sender: node.address, contract: "credential" }, node);
        },
      ],
    ])("%s: %s", async (_, code, build) => {
      expect(await refusalOf(institutionClient, await build())).toBe(code);
    });

    it("that is replayed: NODE_MEMPOOL_KNOWN at first, LEDGER_TRANSACTION_REPLAYED for good", async () => {
      const signed = await craft({});
      await institutionClient.submitAndWait(signed);
      expect(await refusalOf(institutionClient, signed)).toMatch(
        /^(LEDGER_TRANSACTION_REPLAYED|NODE_MEMPOOL_KNOWN)$/,
      );
      // Another signature makes another id; the nonce is what counts.
      const again = await signTransaction(signed.transaction, admin.genesisDigest, institution);
      expect(toHex(again.id)).not.toBe(toHex(signed.id));
      expect(await refusalOf(institutionClient, again)).toBe("LEDGER_TRANSACTION_REPLAYED");
    });

    it("that is too large: LEDGER_TRANSACTION_TOO_LARGE", async () => {
      const { signatures } = decode(signedTransactionCodec, (await craft({})).bytes);
      const transaction = new Uint8Array(250 * 1024);
      const bytes = encode(signedTransactionCodec, {
        transaction,
        signatures: Array.from({ length: 16 }, () => signatures[0] ?? never()),
      });
      const padded = new Uint8Array(256 * 1024 + 1);
      padded.set(bytes.subarray(0, Math.min(bytes.length, padded.length)));
      const whole = {
        id: transactionId(padded),
        bytes: padded,
        transaction: (await craft({})).transaction,
      };
      expect(await refusalOf(institutionClient, whole)).toBe("LEDGER_TRANSACTION_TOO_LARGE");
    });

    it("that is not canonical: LEDGER_TRANSACTION_MALFORMED", async () => {
      const signed = await craft({});
      const bytes = new Uint8Array([...signed.bytes, 0]);
      expect(await refusalOf(institutionClient, { ...signed, bytes })).toBe(
        "LEDGER_TRANSACTION_MALFORMED",
      );
    });

    it("of a revoked member: LEDGER_TRANSACTION_SIGNER_REVOKED", async () => {
      const made = await credlinkJson(
        ...["member", "create", "--network", network.dir, "--organization", "org-2"],
        ...["--name", "leaver", "--role", "institution"],
      );
      expect(made.code).toBe(0);
      const leaver = await network.identity("org-2/leaver");
      const boss = await network.client("node-1", "org-2/admin");
      await boss.execute(setMemberStatusCall(leaver.address, "revoked"));
      const refused = await craft({ sender: leaver.address }, leaver);
      expect(await refusalOf(institutionClient, refused)).toBe("LEDGER_TRANSACTION_SIGNER_REVOKED");
    });

    it.each([
      ["unknown contract", { contract: "nothing" }, "VM_CONTRACT_UNKNOWN"],
      [
        "unknown version",
        { contract: "credential", contractVersion: "9.9.9" },
        "VM_VERSION_UNKNOWN",
      ],
      ["unknown version of a built-in", { contractVersion: "9.9.9" }, "VM_VERSION_UNKNOWN"],
    ])(
      "%s: refused at the door with the code that a receipt would have",
      async (_, change, code) => {
        expect(await refusalOf(institutionClient, await craft(change))).toBe(code);
      },
    );

    it("unknown method: committed as failed, with the same code on every node", async () => {
      const committed = await institutionClient.submitAndWait(await craft({ method: "nothing" }));
      expect(committed.receipt.status).toBe("VM_METHOD_UNKNOWN");
      await network.agree(all, committed.header.height);
    });
  });
}

function never(): never {
  throw new Error("unreachable");
}
