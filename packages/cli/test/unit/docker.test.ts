import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { settings } from "@credlink/node";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { planNetwork } from "../../src/index.ts";
import { buildProgram } from "../../src/program.ts";

/** No container engine runs here: what the files say is compared with the repository. */

const root = resolve(import.meta.dirname, "../../../..");
const docker = join(root, "docker");
const read = (name: string): string => readFileSync(join(docker, name), "utf8");

interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly (string | { source: string; volume: { subpath: string } })[];
}

const compose = parse(read("compose.yaml"), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};
const prometheus = parse(read("prometheus.yml")) as {
  readonly scrape_configs: readonly {
    readonly metrics_path: string;
    readonly static_configs: readonly { readonly targets: readonly string[] }[];
  }[];
};
/** Instructions of the Dockerfile, continued lines joined. */
const instructions = read("Dockerfile")
  .replaceAll(/\\\n\s*/g, " ")
  .split("\n")
  .filter((line) => /^[A-Z]+ /.test(line));
const of = (name: string): readonly string[] =>
  instructions
    .filter((line) => line.startsWith(`${name} `))
    .map((line) => line.slice(name.length + 1));
const json = (name: string): readonly string[] => JSON.parse(of(name).at(-1) ?? "[]") as string[];

/** Whether the command line knows these words and options, and lacks none. */
function isKnownCommand(words: readonly string[]): boolean {
  let command = buildProgram({
    streams: { out: () => {}, err: () => {} },
    stopSignal: Promise.resolve(),
    run: async () => {},
  });
  let at = 0;
  for (; at < words.length; at += 1) {
    const next = command.commands.find((each) => each.name() === words[at]);
    if (next === undefined) break;
    command = next;
  }
  const options = words.slice(at).filter((word) => word.startsWith("--"));
  const known = command.options.map((option) => option.long);
  const required = command.options.filter((option) => option.mandatory).map((each) => each.long);
  return (
    command.commands.length === 0 &&
    options.every((option) => known.includes(option)) &&
    required.every((option) => option !== undefined && options.includes(option ?? ""))
  );
}

const setting = (key: string) => settings.find((each) => each.key === key);
const rpcPort = Number(setting("rpc.port")?.default);
const p2pPort = Number(
  /\d+$/.exec(JSON.stringify(setting("p2p.listen")?.default).replace(/\W+$/, ""))?.[0],
);

describe("Dockerfile", () => {
  it("copies only paths of the repository, and nothing that the context leaves out", () => {
    const ignored = read("Dockerfile.dockerignore").split("\n");
    for (const line of of("COPY").filter((each) => !each.startsWith("--from"))) {
      const sources = line.split(" ").slice(0, -1);
      for (const source of sources) {
        expect(existsSync(join(root, source)), source).toBe(true);
        expect(ignored, source).toContain(`!${source.replace("./", "")}`);
      }
    }
  });

  it("has several stages; the last runs as nobody special and keeps two volumes", () => {
    expect(of("FROM").length).toBeGreaterThanOrEqual(2);
    expect(of("USER").at(-1)).toBe("10001:10001");
    expect(json("VOLUME")).toEqual(["/network", "/data"]);
  });

  it("runs the command line's entry with a command that exists", () => {
    const entry = json("ENTRYPOINT");
    expect(entry.slice(0, 2)).toEqual(["node", "--conditions=source"]);
    const path = entry[2]?.replace("/app/", "") ?? "";
    expect(existsSync(join(root, path)), path).toBe(true);
    expect(isKnownCommand(json("CMD"))).toBe(true);
  });

  it("exposes the ports that a node listens on, and asks the gateway for its health", () => {
    expect(of("EXPOSE").at(-1)).toBe(`${rpcPort} ${p2pPort}`);
    const health = of("HEALTHCHECK").at(-1) ?? "";
    expect(health).toContain(`http://127.0.0.1:${rpcPort}/readyz`);
  });

  it("sets only variables that a node reads", () => {
    const names = of("ENV").flatMap((line) =>
      [...line.matchAll(/(CREDLINK_\w+)=/g)].map((m) => m[1]),
    );
    const known = settings.map((each) => each.variable);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(known).toContain(name);
  });

  it("pins the Node version of the workspace", () => {
    const workspace = parse(readFileSync(join(root, "pnpm-workspace.yaml"), "utf8")) as {
      catalog: Record<string, string>;
    };
    const major = workspace.catalog.node?.split(".")[0];
    expect(of("ARG")).toEqual([`NODE_IMAGE=node:${major}-bookworm-slim`]);
  });
});

describe("compose", () => {
  const nodes = Object.entries(compose.services).filter(([name]) => name.startsWith("node-"));

  it("has four validators, named as `network create` names them", () => {
    const plan = planNetwork({ validators: 4, containers: true });
    expect(nodes.map(([name]) => name)).toEqual(plan.nodes.map((node) => node.name));
  });

  it("makes the network by a command that exists", () => {
    const { command = [] } = compose.services.setup ?? {};
    const words = command.join(" ").split(/\s+/);
    const from = words.indexOf("network");
    expect(isKnownCommand(words.slice(from))).toBe(true);
    expect(words.slice(from)).toContain("--containers");
    const entry = words.find((word) => word.endsWith("main.ts"))?.replace("/app/", "") ?? "";
    expect(existsSync(join(root, entry))).toBe(true);
  });

  it.each(nodes)(
    "%s runs read-only, without capabilities, on its own folder and data",
    (name, node) => {
      expect(node.read_only).toBe(true);
      expect(node.cap_drop).toEqual(["ALL"]);
      const [folder, data] = node.volumes ?? [];
      expect(folder).toMatchObject({
        source: "network",
        volume: { subpath: `consortium/nodes/${name}` },
      });
      expect(data).toBe(`${name}:/data`);
      expect(node.ports?.[0]).toMatch(new RegExp(`^127\\.0\\.0\\.1:\\d+:${rpcPort}$`));
      const dockerfile = join(docker, node.build?.context ?? "", node.build?.dockerfile ?? "");
      expect(existsSync(dockerfile)).toBe(true);
    },
  );

  it("declares every volume, mounts only files that exist, and publishes no port twice", () => {
    const published: string[] = [];
    for (const service of Object.values(compose.services)) {
      published.push(...(service.ports ?? []).map((port) => port.split(":").slice(0, 2).join(":")));
      for (const volume of service.volumes ?? []) {
        const source = typeof volume === "string" ? (volume.split(":")[0] ?? "") : volume.source;
        if (source.startsWith(".")) expect(existsSync(resolve(docker, source)), source).toBe(true);
        else expect(Object.keys(compose.volumes)).toContain(source);
      }
    }
    expect(new Set(published).size).toBe(published.length);
  });

  it("Prometheus scrapes every validator where it serves metrics", () => {
    const [job] = prometheus.scrape_configs;
    expect(job?.metrics_path).toBe("/metrics");
    expect(job?.static_configs[0]?.targets).toEqual(nodes.map(([name]) => `${name}:${rpcPort}`));
    // No port of its own: metrics are served beside the gateway.
    expect(setting("metrics.port")?.default).toBeNull();
    const config = compose.services.prometheus?.command?.[0]?.replace("--config.file=", "");
    const mounted = compose.services.prometheus?.volumes?.[0];
    expect(mounted).toBe(`./prometheus.yml:${config}:ro`);
    expect(dirname(config ?? "")).toBe("/etc/prometheus");
  });
});
