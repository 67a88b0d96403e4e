import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadKeyFile } from "@credlink/crypto";
import { describe, expect, it } from "vitest";
import { credlinkJson } from "./support/command.ts";
import { isLarge } from "./support/large.ts";
import { relationKeyCall } from "./support/load.ts";
import { TestNetwork } from "./support/network.ts";

/** A secret in the forms in which it could be left lying about. */
function formsOf(secret: Uint8Array): readonly Buffer[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString("hex");
  // Whole groups of three bytes from each of the three places where base64 may cut them.
  const base64 = [0, 1, 2].map((skip) => bytes.subarray(skip, skip + 27).toString("base64"));
  const url = base64.map((each) => each.replaceAll("+", "-").replaceAll("/", "_"));
  const texts = [hex, hex.toUpperCase(), ...base64, ...url];
  return [bytes, ...texts.map((text) => Buffer.from(text))];
}

/** Every file below the network's folder: configuration, databases, vote logs, logs. */
async function expectNoKeysInClear(network: TestNetwork): Promise<void> {
  const entries = readdirSync(network.dir, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name));
  // Keys of the nodes and of the institution, which signed what is on chain.
  const keyFiles = files.filter(
    (path) =>
      /[/]nodes[/]|service-centre/.test(path) && existsSync(path.replace(/\.key$/, ".password")),
  );
  const secrets: Buffer[] = [];
  for (const path of keyFiles.filter((each) => each.endsWith(".key"))) {
    const password = readFileSync(path.replace(/\.key$/, ".password"), "utf8").trim();
    secrets.push(...formsOf(await loadKeyFile(path, { password })));
  }
  expect(secrets.length).toBeGreaterThanOrEqual(9 * (network.nodes.size + 1));
  expect(files.some((path) => path.endsWith("node.log"))).toBe(true);
  for (const path of files) {
    const content = readFileSync(path);
    for (const secret of secrets) {
      expect(content.includes(secret), `a private key in ${path}`).toBe(false);
    }
  }
}

/** Quorums by number of validators. */
const quorums = { 1: 1, 4: 3, 5: 4, 7: 5 } as const;

type Size = readonly [validators: keyof typeof quorums, transport: string];
const quick: readonly Size[] = [
  [1, "noise"],
  [5, "noise"],
];
const large: readonly Size[] = [
  [7, "noise"],
  [7, "gm"],
];

describe.each(isLarge ? large : quick)(
  "S-9.2-1, S-9.4-6, S-9.5-1a, S-9.5-2b: %i validators over %s",
  (validators, transport) => {
    it("take transactions, certify them by a quorum, agree, and leave no key in clear", async () => {
      const network = await TestNetwork.run({ validators, transport });
      try {
        const made = await credlinkJson(
          ...["member", "create", "--network", network.dir, "--organization", "org-1"],
          ...["--name", "service-centre", "--role", "institution"],
        );
        expect(made.code, made.stderr).toBe(0);
        const client = await network.client("node-1", "org-1/service-centre");
        const last = `node-${validators}`;
        const other = await network.client(last, "org-1/service-centre");
        const committed = await client.execute(relationKeyCall());
        const signatures = committed.header.certificate?.signatures.length ?? 0;
        expect(signatures).toBeGreaterThanOrEqual(quorums[validators]);
        const second = await other.execute(relationKeyCall());
        const names = [...network.nodes.keys()];
        expect(names).toHaveLength(validators);
        const height = Math.max(committed.header.height, second.header.height);
        await network.agree(names, height);
        await expectNoKeysInClear(network);
      } finally {
        await network.close();
      }
    });
  },
);
