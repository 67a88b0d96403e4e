import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type ReceiptAction,
  receiptActions,
  receiptDomains,
  transactionActions,
} from "@credlink/api";
import { sm2Verify, taggedSm3 } from "@credlink/crypto";
import { toHex } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import { findBuiltIn } from "../packages/contracts-vm/src/built-in/registry.ts";
import { signedMessages, signers } from "./signed-messages.ts";

const root = join(import.meta.dirname, "..");
const page = readFileSync(join(root, "docs/protocol/receipts.md"), "utf8");

/** What runs in production, beside the package of the algorithms. */
function sources(): readonly { readonly path: string; readonly text: string }[] {
  return readdirSync(join(root, "packages"))
    .filter((name) => !["crypto", "simulator", "testkit"].includes(name))
    .flatMap((name) => {
      const folder = join(root, "packages", name, "src");
      return readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".ts") && !file.includes("compliance"))
        .map((file) => ({
          path: `${name}/${file}`,
          text: readFileSync(join(folder, file), "utf8"),
        }));
    });
}

function withoutComments(text: string): string {
  return text.replaceAll(/^\s*(?:\*|\/\/|\/\*).*$/gm, "");
}

describe("S-9.5-1d: signatures of different acts are apart", () => {
  test("a signature for one domain verifies in no other, over all pairs", async () => {
    const all = await signedMessages();
    expect(new Set(all.map(({ message }) => toHex(message))).size).toBe(all.length);
    const { publicKey, sign } = signers.of("everybody");
    for (const made of all) {
      const signature = sign(made.message);
      for (const other of all) {
        const isOwn = made === other;
        const pair = `${made.domain} as ${other.domain}`;
        expect(sm2Verify(publicKey, other.message, signature), pair).toBe(isOwn);
      }
    }
  });

  test("equal content under two receipt domains is two messages", () => {
    const content = new Uint8Array(100).fill(7);
    const digests = Object.values(receiptDomains).map((domain) => taggedSm3(domain, content));
    expect(new Set(digests.map(toHex)).size).toBe(4);
  });

  test("every domain that is signed stands in docs/protocol/receipts.md", async () => {
    for (const { domain } of await signedMessages()) expect(page).toContain(`\`${domain}\``);
  });

  test("S-9.5-2: whoever opens or makes a private key wipes it", () => {
    const places = sources().filter(({ text }) =>
      /\b(?:loadKeyFile\(|generateKeyPair\(\))/.test(withoutComments(text)),
    );
    expect(places.length).toBeGreaterThan(5);
    const keeping = places.filter(({ text }) => !/\bwipe\(|\bprivateKey\.fill\(0\)/.test(text));
    expect(keeping.map(({ path }) => path)).toEqual([]);
  });

  test("whatever signs is known here: a new place needs a domain and a row", () => {
    const places = sources()
      .filter(({ text }) => withoutComments(text).includes("signer.sign("))
      .map(({ path }) => path);
    expect(places.sort()).toEqual([
      "ca/custody.ts",
      "cli/commands/key-use.ts",
      "client/accounts.ts",
      "client/member-keys.ts",
      "client/node-control.ts",
      "client/receipts/received.ts",
      "client/renewal.ts",
      "client/session.ts",
      "client/transactions.ts",
      "client/vc/suite.ts",
      "keys/envelope.ts",
      "node/engine/consensus-driver.ts",
      "node/engine/instance-watch.ts",
      "node/engine/own-transactions.ts",
      "node/gateway/receipts.ts",
      "node/p2p/admission.ts",
    ]);
  });
});

describe("S-9.5-1d: the eight acts", () => {
  test("each has a transaction, a request or a recipient that signs it", () => {
    const signed = new Set<ReceiptAction>(["send", "receive", "configure"]);
    for (const actions of Object.values(transactionActions)) {
      for (const action of Object.values(actions)) signed.add(action);
    }
    expect([...signed].sort()).toEqual([...receiptActions].sort());
    for (const action of receiptActions) expect(page).toContain(`| ${action} |`);
  });

  test("every method of ours that changes something is one of them, and none is that only reads", () => {
    const manifest = JSON.parse(
      readFileSync(join(root, "packages/contracts/wasm/credential.json"), "utf8"),
    ) as { methods: { name: string; readOnly: boolean }[] };
    for (const [contract, actions] of Object.entries(transactionActions)) {
      const methods =
        contract === "credential"
          ? manifest.methods
          : [...(findBuiltIn(contract) ?? [])].map(([name, { readOnly }]) => ({ name, readOnly }));
      const changing = methods.filter(({ readOnly }) => !readOnly).map(({ name }) => name);
      const where = `${contract}: say in packages/api/src/receipt-actions.ts which act it is`;
      expect(Object.keys(actions).sort(), where).toEqual(changing.sort());
    }
  });
});
