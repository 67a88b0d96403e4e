import { createServer, type Server } from "node:http";
import { methods } from "@credlink/api";
import {
  createSm2Signer,
  generateKeyPair,
  parseAddress,
  randomBytes,
  sm2Verify,
} from "@credlink/crypto";
import { fromHex, toHex } from "@credlink/primitives";
import {
  type Client,
  createClient,
  createIdentity,
  type Identity,
  sessionMessage,
} from "../../src/index.ts";
import type { TestChain } from "./chain.ts";

/** What a test may do to an answer before it leaves. */
export type Tamper = (method: string, result: unknown) => unknown;

export interface TestGateway {
  readonly url: string;
  /** Methods called, in order. */
  readonly calls: string[];
  /** Changes answers from now on. */
  tamper: Tamper;
  /** What `contract.query` returns. */
  query: (params: Readonly<Record<string, string>>) => Uint8Array;
  /** Ends every session: tokens given out are refused from now on. */
  expireSessions(): void;
  /** Refuses a method with a code from now on. */
  refuse(method: string, code: string): void;
  /** Cuts the connection at the next `count` requests of a method, after it took effect. */
  cut(method: string, count: number): void;
  close(): Promise<void>;
}

class Refused extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

/** A test gateway and a member's client of it. */
export interface TestDoor {
  readonly gateway: TestGateway;
  readonly identity: Identity;
  readonly client: Client;
}

/** Serves a chain to a new member. */
export async function openDoor(chain: TestChain): Promise<TestDoor> {
  const pair = generateKeyPair();
  const identity = createIdentity(createSm2Signer(pair.privateKey));
  const gateway = await startGateway(chain, pair.publicKey);
  const { url } = gateway;
  const client = createClient({ url, genesis: chain.genesisBytes, identity, retryDelayMs: 1 });
  return { gateway, identity, client };
}

/** A gateway over real HTTP with real sessions, serving a test chain. */
async function startGateway(chain: TestChain, publicKey: Uint8Array): Promise<TestGateway> {
  const challenges = new Set<string>();
  const tokens = new Set<string>();
  const taken = new Set<string>();
  const cuts = new Map<string, number>();
  const refusals = new Map<string, string>();
  const calls: string[] = [];
  const control = {
    tamper: ((_, result) => result) as Tamper,
    query: (() => new Uint8Array(0)) as TestGateway["query"],
  };

  function login(params: Record<string, string>) {
    const { address = "", challenge = "", signature = "" } = params;
    const member = parseAddress(address);
    if (!member.ok || !challenges.delete(challenge)) throw new Refused(401, "API_CHALLENGE");
    const message = sessionMessage(chain.genesisDigest, fromHex(challenge), member.value);
    if (!sm2Verify(publicKey, message, fromHex(signature))) throw new Refused(401, "API_LOGIN");
    const token = toHex(randomBytes(32));
    tokens.add(token);
    return { token, expiresAtMs: Date.now() + 60_000 };
  }

  function answer(method: string, params: Record<string, unknown>): unknown {
    switch (method) {
      case "session.challenge": {
        const challenge = toHex(randomBytes(32));
        challenges.add(challenge);
        return { challenge, expiresInMs: 60_000 };
      }
      case "session.login":
        return login(params as Record<string, string>);
      case "block.header":
        return found(chain.header(Number(params.height)));
      case "block.get":
        return found(chain.blockAnswer(Number(params.height)));
      case "contract.query": {
        const returnValue = toHex(control.query(params as Record<string, string>));
        return { height: chain.blocks.length - 1, status: "SUCCESS", returnValue, gasUsed: 0 };
      }
      case "chain.info":
        return chain.info();
      case "consensus.history":
        return found(chain.historyAnswer(Number(params.height)));
      case "chain.validators": {
        const committee = found(chain.committees[Number(params.height)]);
        return {
          validators: committee.set.validators.map((each) => ({
            nodeId: each.nodeId,
            publicKey: toHex(each.publicKey),
            peerId: each.peerId,
          })),
        };
      }
      case "transaction.submit": {
        const transaction = String(params.transaction);
        if (taken.has(transaction)) throw new Refused(200, "NODE_MEMPOOL_KNOWN");
        taken.add(transaction);
        chain.append([fromHex(transaction)]);
        return { id: toHex(chain.blocks.at(-1)?.block.body.transactionIds[0] ?? new Uint8Array()) };
      }
      case "transaction.get":
      case "transaction.wait":
        return chain.outcome(String(params.id));
      case "state.get":
        return chain.state(String(params.contract), fromHex(String(params.key)));
      default:
        throw new Refused(404, "API_METHOD_UNKNOWN");
    }
  }

  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const { id, method, params } = JSON.parse(text) as {
      id: number;
      method: keyof typeof methods;
      params: Record<string, unknown>;
    };
    calls.push(method);
    const token = request.headers.authorization?.replace("Bearer ", "") ?? "";
    const reply = (status: number, body: object): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify({ jsonrpc: "2.0", id, ...body }));
    };
    try {
      if (methods[method].session && !tokens.has(token)) throw new Refused(401, "API_NO_SESSION");
      const refusal = refusals.get(method);
      if (refusal !== undefined) throw new Refused(200, refusal);
      const result = control.tamper(method, answer(method, params));
      const left = cuts.get(method) ?? 0;
      if (left > 0) {
        cuts.set(method, left - 1);
        request.socket.destroy();
        return;
      }
      reply(200, { result });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const data = { code: error.code, remedy: "as documented" };
      reply(error.status, { error: { code: -32_000, message: error.code, data } });
    }
  });
  const url = await listen(server);
  return {
    url,
    calls,
    get tamper() {
      return control.tamper;
    },
    set tamper(tamper: Tamper) {
      control.tamper = tamper;
    },
    get query() {
      return control.query;
    },
    set query(query: TestGateway["query"]) {
      control.query = query;
    },
    expireSessions: () => tokens.clear(),
    refuse: (method, code) => refusals.set(method, code),
    cut: (method, count) => cuts.set(method, count),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Refused(404, "API_NOT_FOUND");
  return value;
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      resolve(`http://127.0.0.1:${port}/rpc`);
    });
  });
}
