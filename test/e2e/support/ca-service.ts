import type { ChildProcess } from "node:child_process";
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { credlinkJson, Json, spawnCredlink } from "./command.ts";
import type { TestNetwork } from "./network.ts";
import { eventually } from "./wait.ts";

/** Certificates of `network create` last a year and some: due at once under this lead. */
const LEAD_MS = 500 * 86_400_000;
/** What `ca serve` issues is not. */
const RENEWED_DAYS = "900";

async function done(...command: readonly string[]): Promise<Json> {
  const { code, value, stderr } = await credlinkJson(...command);
  if (code !== 0) throw new Error(stderr);
  return value;
}

/** CA services of a network that is not started yet, by which its nodes renew their certificates. */
export class CaServices {
  readonly #network: TestNetwork;
  readonly #processes: ChildProcess[] = [];
  /** One-time codes, by node. */
  readonly #codes = new Map<string, string>();

  constructor(network: TestNetwork) {
    this.#network = network;
  }

  /** Starts the service of a node's organisation, and makes the node's certificate due. */
  async prepare(name: string): Promise<void> {
    const folder = await this.#adopt(name);
    const issued = await done("ca", "code", "issue", "--dir", folder, "--for", name);
    this.#codes.set(name, issued.at("code").text);
    const url = await this.#serve(folder);
    const settings = `\nrenewal:\n  url: ${url}\n  acknowledgeCustody: true\n  leadMs: ${LEAD_MS}\n`;
    const more = "  leadPercent: 100\n  retryFirstMs: 500\n  retryMaxMs: 2000\n";
    appendFileSync(join(this.#network.nodeDir(name), "node.yaml"), settings + more);
  }

  codeFile(name: string): string {
    return join(this.#network.nodeDir(name), "renewal.code");
  }

  /** Tells a node its one-time code, or another one. */
  tell(name: string, code = this.#codes.get(name)): void {
    writeFileSync(this.codeFile(name), `${code}\n`, { mode: 0o600 });
  }

  /** Resolves once the node has renewed its certificate, the first time. */
  async untilRenewed(name: string): Promise<void> {
    const renewals = () => this.#network.metric(name, "credlink_node_renewals_total");
    await eventually(`${name} renews`, async () => (await renewals()) === 1, 120_000);
    // Peers that refused the old key a few times on a slow machine ban it for a minute.
    await this.#network.untilReady(name, 120_000);
  }

  close(): void {
    for (const each of this.#processes) each.kill("SIGTERM");
  }

  /** The folder of the CA of a node's organisation, made of the one that the network came with. */
  async #adopt(name: string): Promise<string> {
    const { description, dir, folder: place } = this.#network;
    const node = description.at("nodes").list.find((each) => each.at("name").text === name);
    const organization = node?.at("organization").text ?? "";
    const of = description
      .at("organizations")
      .list.find((each) => each.at("name").text === organization);
    const path = (key: string) => join(dir, of?.at(key).text ?? "");
    const folder = join(place.path, `ca-${organization}`);
    await done(
      ...["ca", "adopt", "--dir", folder, "--password-file", `${folder}.password`],
      ...["--key", path("authorityKey"), "--key-password-file", path("authorityPasswordFile")],
      ...["--certificate", path("authorityCertificate")],
      ...["--root", join(dir, "authority", "root.crt")],
      ...["--issued", join(this.#network.nodeDir(name), "node.crt"), "--acknowledge-custody"],
    );
    return folder;
  }

  async #serve(folder: string): Promise<string> {
    const child = spawnCredlink([
      ...["ca", "serve", "--dir", folder, "--password-file", `${folder}.password`],
      ...["--port", "0", "--days", RENEWED_DAYS, "--log-file", `${folder}.log`, "--json"],
    ]);
    this.#processes.push(child);
    let stdout = "";
    child.stdout?.on("data", (chunk) => {
      stdout += String(chunk);
    });
    const ready = () => (stdout.includes("\n") ? new Json(JSON.parse(stdout)) : undefined);
    return (await eventually("ca serve", ready, 90_000)).at("url").text;
  }
}
