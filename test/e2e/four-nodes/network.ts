import type { Client, Identity } from "@credlink/client";
import { afterAll, beforeAll } from "vitest";
import { credlinkJson } from "../support/command.ts";
import { TestNetwork } from "../support/network.ts";

/*
 * One network lives through all suites of four-nodes.test.ts: it takes longer to start than most of
 * them to run, so each suite is a file here and not a test file with a network of its own. They
 * follow each other in the order in which that file names them.
 */
export let network: TestNetwork;
export let admin: Client;
export let institution: Identity;
export let institutionClient: Client;
export const all = ["node-1", "node-2", "node-3", "node-4", "observer-1"];

/** Hooks that start and close the network. */
export function useNetwork(): void {
  beforeAll(async () => {
    network = await TestNetwork.run({ validators: 4, observers: 1 });
    admin = await network.client("node-1");
    const made = await credlinkJson(
      ...["member", "create", "--network", network.dir, "--organization", "org-1"],
      ...["--name", "service-centre", "--role", "institution"],
    );
    if (made.code !== 0) throw new Error(`member create: ${made.stderr}`);
    institution = await network.identity("org-1/service-centre");
    institutionClient = await network.client("node-1", "org-1/service-centre");
  }, 120_000);
  afterAll(() => network?.close());
}
