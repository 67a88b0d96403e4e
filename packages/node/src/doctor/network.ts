import { createServer, connect as dial } from "node:net";
import type { NodeConfig } from "../config/schema.ts";
import { atMost, type DoctorFinding, finding } from "./errors.ts";
import { needs } from "./needs.ts";

const TIMEOUT_MS = 3_000;
const OFFSET = /^credlink_node_clock_offset_seconds (\S+)$/m;

/** Host and TCP port of a multiaddress; null where it has none. */
function placeOf(address: string): { readonly host: string; readonly port: number } | null {
  const [, , host, , port] = address.split("/");
  return host === undefined || port === undefined ? null : { host, port: Number(port) };
}

function bind(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve(String(error)));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

function reach(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = dial({ host, port, timeout: TIMEOUT_MS });
    const end = (result: string | null): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once("connect", () => end(null));
    socket.once("timeout", () => end(`no answer in ${TIMEOUT_MS} ms`));
    socket.once("error", (error) => end(String(error)));
  });
}

/** The metrics page of the node that runs with this configuration, if one does. */
async function readRunning({ rpc, metrics }: NodeConfig): Promise<string | null> {
  const { host, port } = metrics.port === null ? rpc : { host: metrics.host, port: metrics.port };
  if (port === 0) return null;
  const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const page = await (await fetch(`http://${name}:${port}/metrics`, { signal })).text();
    return page.includes("credlink_node_information") ? page : null;
  } catch {
    return null;
  }
}

async function examinePorts(config: NodeConfig): Promise<readonly DoctorFinding[]> {
  const { rpc, metrics, p2p } = config;
  const places = [
    { what: "rpc.port", host: rpc.host, port: rpc.port },
    ...(metrics.port === null
      ? []
      : [{ what: "metrics.port", host: metrics.host, port: metrics.port }]),
    ...p2p.listen.flatMap((address) => {
      const place = placeOf(address);
      return place === null ? [] : [{ what: `p2p.listen ${address}`, ...place }];
    }),
  ];
  return Promise.all(
    places.map(async ({ what, host, port }) => {
      const fault = await bind(host, port);
      const severity = fault === null ? "ok" : "error";
      return finding("NODE_DOCTOR_PORT", severity, what, fault ?? `${host}:${port} is free`);
    }),
  );
}

async function examinePeers({ p2p }: NodeConfig): Promise<readonly DoctorFinding[]> {
  return Promise.all(
    p2p.peers.map(async (address) => {
      const place = placeOf(address);
      const fault = place === null ? "no TCP port" : await reach(place.host, place.port);
      return finding("NODE_DOCTOR_PEER", fault === null ? "ok" : "warn", address, fault ?? "open");
    }),
  );
}

function examineClock(page: string | null): DoctorFinding {
  const seconds = page === null ? undefined : OFFSET.exec(page)?.[1];
  if (seconds === undefined) {
    const why = page === null ? "the node does not run" : "no validator has answered yet";
    return finding("NODE_DOCTOR_CLOCK", "info", "clock", `not known: ${why}`);
  }
  const offsetMs = Math.abs(Number(seconds)) * 1_000;
  const severity = atMost(offsetMs, needs.clockOffsetMs);
  return finding("NODE_DOCTOR_CLOCK", severity, "clock", `${offsetMs.toFixed(1)} ms off`);
}

/** Ports of a node that does not run, or the clock of one that does; and its peers. */
export async function examineNetwork(config: NodeConfig): Promise<readonly DoctorFinding[]> {
  const page = await readRunning(config);
  const ports =
    page === null
      ? await examinePorts(config)
      : [finding("NODE_DOCTOR_PORT", "info", "ports", "the node runs and has them")];
  return [...ports, ...(await examinePeers(config)), examineClock(page)];
}
