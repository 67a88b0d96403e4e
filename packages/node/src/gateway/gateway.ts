import type { AddressInfo } from "node:net";
import {
  createOpenRPCDocument,
  methods,
  type RequestEnvelope,
  type ResponseEnvelope,
  requestEnvelope,
  rpcErrorKind,
} from "@credlink/api";
import { AppError } from "@credlink/primitives";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { ConfigError } from "../config/errors.ts";
import { NodeControlError } from "../control/errors.ts";
import { NodeError } from "../errors.ts";
import { NetworkError } from "../p2p/errors.ts";
import type { GatewayComponents, GatewayOptions } from "./context.ts";
import { type CallOrigin, createDispatcher, type Dispatch } from "./dispatcher.ts";
import { CallError, pollutedError, refuseCall } from "./errors.ts";
import { gatewayMetrics } from "./metrics.ts";
import { judgeLogin } from "./operator.ts";
import { type MemberView, Sessions } from "./sessions.ts";

/** Time in which a request must have arrived in full, milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 60_000;
/** How long a gateway that closes lets calls finish before it cuts them, milliseconds. */
const CLOSE_GRACE_MS = 2_000;
/** Most connections at once: whoever opens more must not use up the process's files. */
const MAX_CONNECTIONS = 4_096;
/** What a caller that found the verification pool full should wait, milliseconds. */
const POOL_RETRY_MS = 200;

type Answer = { readonly response: ResponseEnvelope; readonly httpStatus: number };

/** The committed registry, for sessions. */
export function createMemberView(ledger: GatewayComponents["ledger"]): MemberView {
  return {
    member: (address) => ledger.member(address),
    height: () => ledger.head.header.height,
    timestampMs: () => ledger.head.header.timestampMs,
  };
}

function originOf(request: FastifyRequest): CallOrigin {
  const header = request.headers.authorization;
  const token = header?.startsWith("Bearer ") === true ? header.slice(7) : undefined;
  return { address: request.ip, token };
}

/** Runs calls and gives every failure its documented form. */
class RpcServer {
  readonly #components: GatewayComponents;
  readonly #dispatch: Dispatch;

  constructor(components: GatewayComponents, dispatch: Dispatch) {
    this.#components = components;
    this.#dispatch = dispatch;
  }

  async answer(body: unknown, origin: CallOrigin): Promise<Answer> {
    const parsed = requestEnvelope.safeParse(body);
    if (!parsed.success) return this.fail(null, refuseCall("API_REQUEST_MALFORMED"));
    const call = parsed.data;
    // Only methods that exist become labels: a caller must not make metrics grow.
    const method = Object.hasOwn(methods, call.method) ? call.method : "unknown";
    const { clock, metrics } = this.#components;
    const startMs = clock.monotonicMs();
    const answer = await this.#run(call, origin);
    const seconds = (clock.monotonicMs() - startMs) / 1_000;
    const { response } = answer;
    const outcome = "error" in response ? response.error.data.code : "ok";
    metrics.counter(gatewayMetrics.calls).add(1, { method, outcome });
    metrics.histogram(gatewayMetrics.callSeconds).observe(seconds, { method });
    return answer;
  }

  /** The answer to a call that failed; unknown causes are logged and told to nobody. */
  fail(id: string | number | null, cause: unknown): Answer {
    const error = this.#toCallError(cause);
    const { code, retryAfterMs } = error.details;
    const { code: number, httpStatus } = rpcErrorKind(code);
    if (httpStatus >= 400)
      this.#components.metrics.counter(gatewayMetrics.refused).add(1, { code });
    const remedy = this.#components.remedyOf(code);
    const data = retryAfterMs === undefined ? { code, remedy } : { code, remedy, retryAfterMs };
    const envelope = { code: number, message: error.message, data };
    return { response: { jsonrpc: "2.0", id, error: envelope }, httpStatus };
  }

  async #run(call: RequestEnvelope, origin: CallOrigin): Promise<Answer> {
    try {
      const result = await this.#dispatch(call.method, call.params, origin);
      return { response: { jsonrpc: "2.0", id: call.id, result }, httpStatus: 200 };
    } catch (cause) {
      return this.fail(call.id, cause);
    }
  }

  #toCallError(cause: unknown): CallError {
    if (cause instanceof CallError) return cause;
    // The call itself may be what found out.
    if (this.#components.isPolluted()) return pollutedError();
    const isExpected =
      cause instanceof NodeControlError ||
      cause instanceof ConfigError ||
      cause instanceof NetworkError;
    if (isExpected) return new CallError(cause.code, cause.message);
    if (cause instanceof AppError && cause.code === "CRYPTO_POOL_FULL") {
      return refuseCall("API_BUSY", "signature verification is full", POOL_RETRY_MS);
    }
    this.#components.logger.error("call failed", { error: cause });
    return refuseCall("API_INTERNAL");
  }
}

async function serveRpc(
  server: RpcServer,
  maxBatch: number,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const origin = originOf(request);
  const { body } = request;
  if (!Array.isArray(body)) {
    const { response, httpStatus } = await server.answer(body, origin);
    if (httpStatus === 401) void reply.header("www-authenticate", "Bearer");
    if ("error" in response && response.error.data.retryAfterMs !== undefined) {
      const seconds = Math.ceil(response.error.data.retryAfterMs / 1_000);
      void reply.header("retry-after", String(seconds));
    }
    return reply.code(httpStatus).send(response);
  }
  if (body.length === 0 || body.length > maxBatch) {
    const { response, httpStatus } = server.fail(null, refuseCall("API_BATCH_TOO_LARGE"));
    return reply.code(httpStatus).send(response);
  }
  const answers = await Promise.all(body.map((call: unknown) => server.answer(call, origin)));
  // A batch that no call of which had a session is refused as a whole would be.
  const isUnauthorized = answers.every(({ httpStatus }) => httpStatus === 401);
  const responses = answers.map(({ response }) => response);
  return reply.code(isUnauthorized ? 401 : 200).send(responses);
}

function handleErrors(app: FastifyInstance, server: RpcServer): void {
  app.setErrorHandler((error: unknown, _request, reply) => {
    const status =
      typeof error === "object" && error !== null && "statusCode" in error
        ? error.statusCode
        : undefined;
    const known =
      status === 413
        ? refuseCall("API_BODY_TOO_LARGE")
        : typeof status === "number" && status < 500
          ? refuseCall("API_REQUEST_MALFORMED")
          : error;
    const { response, httpStatus } = server.fail(null, known);
    return reply.code(httpStatus).send(response);
  });
  app.setNotFoundHandler((_request, reply) => {
    const { response } = server.fail(null, refuseCall("API_METHOD_UNKNOWN", "no such path"));
    return reply.code(404).send(response);
  });
}

/** Adds `/healthz` (the process lives) and `/readyz` (it may take traffic). */
export function addHealth(app: FastifyInstance, readiness: GatewayComponents["readiness"]): void {
  app.get("/healthz", async () => ({ alive: true }));
  app.get("/readyz", async (_request, reply) => {
    const state = readiness();
    return reply.code(state.ready ? 200 : 503).send(state);
  });
}

/** Adds `/metrics` in the Prometheus text format. */
export function addMetrics(
  app: FastifyInstance,
  source: { readonly contentType: string; scrape(): Promise<string> },
): void {
  app.get("/metrics", async (_request, reply) =>
    reply.header("content-type", source.contentType).send(await source.scrape()),
  );
}

/** @throws NodeError NODE_START_PORT_TAKEN */
export async function listen(
  app: FastifyInstance,
  where: { readonly host: string; readonly port: number },
): Promise<string> {
  try {
    await app.listen({ host: where.host, port: where.port });
  } catch (cause) {
    throw new NodeError("NODE_START_PORT_TAKEN", `${where.host}:${where.port}`, { cause });
  }
  const { address, family, port } = app.server.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}

/** The gateway's routes, not listening yet; the caller may add more. */
export function createGateway(
  options: GatewayOptions,
  components: GatewayComponents,
): FastifyInstance {
  const { clock, random, ledger, metrics, facts } = components;
  const sessions = new Sessions({
    genesisDigest: ledger.genesisDigest,
    members: createMemberView(ledger),
    clock,
    random,
    sessionMs: options.sessionMs,
    maxSessions: () => options.maxSessions,
    judgeLogin: (member) => judgeLogin(member, components.operator.mode.mode),
  });
  const closing = Promise.withResolvers<void>();
  const dispatch = createDispatcher(options, components, sessions, closing.promise);
  const server = new RpcServer(components, dispatch);
  const app = fastify({
    bodyLimit: options.maxBodyBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: "idle",
    logger: false,
  });
  handleErrors(app, server);
  app.server.maxConnections = MAX_CONNECTIONS;
  app.addHook("preClose", async () => {
    closing.resolve();
    components.operator.peerWatch.close();
    // A request that never arrives in full must not hold up the node's stop.
    const cut = clock.schedule(CLOSE_GRACE_MS, () => app.server.closeAllConnections());
    app.server.once("close", cut);
  });
  app.post("/rpc", (request, reply) => {
    metrics.gauge(gatewayMetrics.sessions).set(sessions.size);
    return serveRpc(server, options.maxBatch, request, reply);
  });
  const document = createOpenRPCDocument(facts.version);
  app.get("/rpc/discover", async () => document);
  addHealth(app, components.readiness);
  return app;
}
