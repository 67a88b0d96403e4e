import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Client, createIdentity } from "@credlink/client";
import { certificateToPem, formatAddress } from "@credlink/crypto";
import { invariant } from "@credlink/primitives";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CaServices } from "./support/ca-service.ts";
import { credlink, credlinkJson } from "./support/command.ts";
import { isLarge } from "./support/large.ts";
import { Load, refusalOf, relationKeyCall } from "./support/load.ts";
import { TestNetwork } from "./support/network.ts";
import { createOutsideAuthority } from "./support/outside-authority.ts";
import { eventually } from "./support/wait.ts";

/** Longest time between two blocks of a working day, milliseconds. */
const MAX_INTERVAL_MS = 2_000;

/** One network lives through this day: the tests follow each other. */
let network: TestNetwork;
let services: CaServices;
let load: Load;
let clients: readonly Client[];
let firstHeight = 0;

const inNetwork = () => ["--network", network.dir];

/** A command as a member of the network's folder at one of its nodes, which succeeds. */
async function as(member: string, node: string, ...command: readonly string[]) {
  const done = await credlinkJson(...command, ...inNetwork(), "--as", member, "--node", node);
  expect(done.code, done.stderr).toBe(0);
  return done.value;
}

async function create(organization: string, name: string, role: string): Promise<void> {
  const made = await credlinkJson(
    ...["member", "create", ...inNetwork(), "--organization", organization],
    ...["--name", name, "--role", role],
  );
  expect(made.code, made.stderr).toBe(0);
}

beforeAll(async () => {
  if (!isLarge) return;
  network = await TestNetwork.create({ validators: 4, standbys: 1 });
  services = new CaServices(network);
  await services.prepare("node-4");
  await network.start();
  await create("org-1", "centre", "institution");
  const doors = ["node-1", "node-2", "node-3"];
  clients = await Promise.all(doors.map((name) => network.client(name, "org-1/centre")));
  const [client] = clients;
  invariant(client !== undefined, "the network has doors");
  firstHeight = (await client.execute(relationKeyCall())).header.height;
  load = new Load(clients, () => client.build(relationKeyCall()), 150);
}, 240_000);
afterAll(async () => {
  services?.close();
  await network?.close();
});

describe.runIf(isLarge)("a day of four organisations", { timeout: 240_000 }, () => {
  it("S-11.4-2a: a worker applies, is verified by salted evidence, and becomes active", async () => {
    const file = (name: string) => join(network.folder.path, name);
    const applied = await credlink(
      ...["member", "application", "--key", file("worker.key"), "--password-file"],
      ...[join(network.dir, network.description.at("members", 0, "passwordFile").text)],
      ...["--genesis", join(network.dir, "genesis.bin"), "--out", file("worker.application")],
    );
    expect(applied.code, applied.stderr).toBe(0);
    const application = ["--application", file("worker.application"), "--role", "individual"];
    const member = await as("org-1/centre", "node-2", "member", "apply", ...application);
    const address = member.at("address").text;
    const card = file("card.txt");
    writeFileSync(card, "11010519491231002X");
    const evidence = ["--kind", "identity-card", "--value-file", card, "--out", file("evidence")];
    await as("org-1/centre", "node-2", "member", "verify", address, ...evidence);
    await as("org-1/admin", "node-3", "member", "activate", address);
    const shown = await as("org-2/admin", "node-4", "member", "show", address);
    expect(shown.at("status").text).toBe("active");
    expect(readFileSync(file("evidence"), "utf8")).toContain("11010519491231002X");
  });

  it("S-9.4-8: an institution takes a new key and certificate, and its old key signs no more", async () => {
    await create("org-3", "rotating", "institution");
    const before = await network.client("node-1", "org-3/rotating");
    const late = await before.build(relationKeyCall());
    await as("org-3/rotating", "node-3", "member", "rotate-key");
    // Asked where it was decided: another node may be a block behind.
    const door = await network.client("node-3");
    expect(await refusalOf(door, late)).toBe("LEDGER_TRANSACTION_SIGNATURE_INVALID");
    const after = await network.client("node-4", "org-3/rotating");
    await after.execute(relationKeyCall());
  });

  it("S-8.4-9: a validator renews key and certificate by itself, once its one-time code came", async () => {
    services.tell("node-4");
    await services.untilRenewed("node-4");
    const { height } = await (await network.client("node-4")).info();
    await network.agree(["node-1", "node-2", "node-3", "node-4"], height);
  });

  it("S-8.4-5: a member that is revoked signs no more, at any node", async () => {
    await create("org-2", "leaving", "institution");
    const leaving = await network.client("node-2", "org-2/leaving");
    const late = await leaving.build(relationKeyCall());
    const address = (await as("org-2/leaving", "node-2", "member", "show")).at("address").text;
    await as("org-2/admin", "node-2", "member", "revoke", address);
    const { height } = await (await network.client("node-2")).info();
    for (const client of clients) {
      await eventually("it has the block", async () => (await client.info()).height >= height);
      expect(await refusalOf(client, late)).toBe("LEDGER_TRANSACTION_SIGNER_REVOKED");
    }
  });

  it("T-4.9.6-b: the regulator freezes a contract and lets it go on", async () => {
    await create("org-4", "supervisor", "regulator");
    const states = async () => {
      const shown = await as("org-1/admin", "node-1", "contract", "versions", "credential");
      return shown.at("versions").list.map((version) => version.at("state").text);
    };
    expect(await states()).toContain("started");
    await as("org-4/supervisor", "node-4", "contract", "freeze", "credential");
    expect(await states()).toContain("frozen");
    await as("org-4/supervisor", "node-4", "contract", "unfreeze", "credential");
    expect(await states()).toContain("started");
  });

  it("S-9.5-2a: an admin lost its key: all decide on the next one, which waits for objections", async () => {
    const file = (name: string) => join(network.folder.path, name);
    writeFileSync(file("next.password"), "a password of the next key\n", { mode: 0o600 });
    const address = formatAddress((await network.identity("org-4/admin")).address);
    const requested = await credlinkJson(
      ...["member", "recovery", "request", address, "--keys", "1"],
      ...["--key", file("next.key"), "--password-file", file("next.password")],
      ...["--genesis", join(network.dir, "genesis.bin"), "--out", file("recovery.json")],
    );
    expect(requested.code, requested.stderr).toBe(0);
    const publicKey = requested.value.at("publicKey").text;
    const propose = ["member", "recovery", "propose", file("recovery.json")];
    const proposed = await as("org-1/admin", "node-1", ...propose);
    const number = `${proposed.at("proposal").number}`;
    await as("org-2/admin", "node-2", "gov", "vote", number, "approve");
    const decided = await as("org-3/admin", "node-3", "gov", "vote", number, "approve");
    expect(decided.at("state").text).toBe("executed");
    const waiting = await as("org-1/admin", "node-3", "member", "recovery", "show", address);
    expect(waiting.at("publicKey").text).toBe(publicKey);
    const early = await credlinkJson(
      ...["member", "recovery", "complete", address, ...inNetwork(), "--node", "node-3"],
    );
    expect(early.stderr).toContain("MEMBERS_RECOVERY_EARLY");
    // The key was found again: its holder objects, and nothing has changed.
    await as("org-4/admin", "node-3", "member", "recovery", "cancel", address);
    const shown = await as("org-1/admin", "node-3", "member", "show", address);
    expect(shown.at("keys").list).toHaveLength(1);
  });

  it("S-9.7-2, S-11.4-2c: an outside CA is registered, its holders sign, and are revoked", async () => {
    const outside = await createOutsideAuthority();
    const file = (name: string, content: string) => {
      const path = join(network.folder.path, name);
      writeFileSync(path, content);
      return path;
    };
    const decide = async (...command: readonly string[]) => {
      const number = `${(await as("org-1/admin", "node-1", ...command)).at("number").number}`;
      await as("org-2/admin", "node-2", "gov", "vote", number, "approve");
      const decided = await as("org-3/admin", "node-3", "gov", "vote", number, "approve");
      expect(decided.at("state").text).toBe("executed");
    };
    const chain = file("outside.pem", outside.chain);
    await decide("authority", "propose", "outside", chain, "--roles", "enterprise,institution");
    const [one, two] = [await outside.issue("Firm One Ltd"), await outside.issue("Firm Two Ltd")];
    const holders: Client[] = [];
    for (const [at, { signer, certificate }] of [one, two].entries()) {
      const path = file(`outside-${at}.crt`, certificateToPem(certificate));
      const how = ["--authority", "outside", "--role", "institution"];
      const enrolled = await as("org-2/admin", "node-3", "authority", "enroll", path, ...how);
      expect(enrolled.at("address").text).toBe(formatAddress(createIdentity(signer).address));
      const client = network.clientOf("node-3", createIdentity(signer));
      await client.execute(relationKeyCall());
      holders.push(client);
    }
    const [first, second] = holders;
    invariant(first !== undefined && second !== undefined, "both were enrolled");
    const lateOne = await first.build(relationKeyCall());
    const list = file("outside.crl", await outside.revoke(one.certificate));
    await as("org-4/admin", "node-3", "authority", "register-list", "outside", list);
    expect(await refusalOf(second, lateOne)).toBe("LEDGER_TRANSACTION_SIGNER_REVOKED");
    await second.execute(relationKeyCall());
    const late = await second.build(relationKeyCall());
    await decide("authority", "withdraw", "outside");
    const door = await network.client("node-3");
    expect(await refusalOf(door, late)).toBe("LEDGER_TRANSACTION_SIGNER_REVOKED");
    const shown = await as("org-1/admin", "node-3", "authority", "show", "outside");
    expect(shown.at("state").text).toBe("withdrawn");
  });

  it("T-4.2.3: validators change: a fifth joins, the first leaves and comes back", async () => {
    // Who was removed says by itself that it is ready again, a moment later.
    const change = (kind: "add" | "remove", name: string) =>
      eventually(`${kind} ${name}`, async () => {
        const at = [...inNetwork(), "--node", "node-2"];
        const { code, stderr } = await credlinkJson("validators", kind, name, ...at);
        if (stderr.includes("VALIDATORS_NOT_READY")) return undefined;
        expect(code, stderr).toBe(0);
        return true;
      });
    await change("add", "node-5");
    await change("remove", "node-1");
    await change("add", "node-1");
    await change("remove", "node-5");
  });

  it("kept its pace: no block later than two seconds after the one before, none of it lost", async () => {
    await load.stop();
    const [client] = clients;
    invariant(client !== undefined, "the network has doors");
    await load.allCommitted(client);
    const { height } = await client.info();
    const intervals: number[] = [];
    let previous = (await client.header(firstHeight)).header.timestampMs;
    for (let at = firstHeight + 1; at <= height; at++) {
      const { timestampMs } = (await client.header(at)).header;
      intervals.push(timestampMs - previous);
      previous = timestampMs;
    }
    expect(intervals.length).toBeGreaterThan(20);
    expect(Math.max(...intervals)).toBeLessThanOrEqual(MAX_INTERVAL_MS);
    await network.agree(["node-1", "node-2", "node-3", "node-4", "node-5"], height);
  });

  it("S-9.3-5: leaves chains that verify from their files alone", async () => {
    await network.stop();
    for (const name of ["node-1", "node-4"]) {
      const verified = await credlinkJson("chain", "verify", "--dir", network.nodeDir(name));
      expect(verified.code, verified.stderr).toBe(0);
    }
  });
});
