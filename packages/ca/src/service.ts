import type { AddressInfo } from "node:net";
import { MAX_RENEWAL_BODY_BYTES, renewalPaths, renewalRequest } from "@credlink/api";
import { type Certificate, cryptoErrors } from "@credlink/crypto";
import { createMetricsRegistry, type Rate, RateLimiter } from "@credlink/node/service";
import {
  AppError,
  type Clock,
  type ErrorTable,
  type Logger,
  type Signer,
  toHex,
} from "@credlink/primitives";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { readListFile } from "./check.ts";
import { base64 } from "./create.ts";
import { CaError, type CaErrorCode, caErrors } from "./errors.ts";
import type { AuthorityFolder } from "./folder.ts";
import { ownCertificate } from "./issue.ts";
import { caMetrics } from "./metrics.ts";
import { NONCE_MS, Nonces } from "./nonces.ts";
import { authenticate, renewFor } from "./renewal.ts";

/** Settings of a CA service. */
export interface ServiceOptions {
  /** Address to bind. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Validity of renewed certificates, days. */
  readonly days: number;
  /** Calls of one network address. Default 2 a second, 20 at once. */
  readonly rate?: Rate;
}

export interface ServiceComponents {
  readonly folder: AuthorityFolder;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A service that listens. */
export interface CaService {
  readonly url: string;
  close(): Promise<void>;
}

const DEFAULT_RATE: Rate = { perSecond: 2, burst: 20 };
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 256;
const STATUS: Partial<Record<string, number>> = {
  CA_CALL_MALFORMED: 400,
  CA_CALL_TOO_LARGE: 413,
  CA_CALL_RATE: 429,
  CA_NONCE_UNKNOWN: 401,
  CA_CALLER_UNKNOWN: 401,
  CA_CODE_REQUIRED: 403,
  CA_CODE_WRONG: 403,
  CA_LOCKED: 503,
  CA_WRITE_FAILED: 503,
  CA_JOURNAL_DAMAGED: 503,
};

function remedyOf(code: string): string {
  const tables: readonly ErrorTable[] = [caErrors, cryptoErrors];
  return tables.find((table) => table[code] !== undefined)?.[code]?.remedy ?? "See docs/errors.md.";
}

class Service {
  readonly #options: ServiceOptions;
  readonly #components: ServiceComponents;
  readonly #nonces: Nonces;
  readonly #limiter: RateLimiter;
  readonly metrics: ReturnType<typeof createMetricsRegistry>;

  constructor(options: ServiceOptions, components: ServiceComponents) {
    this.#options = options;
    this.#components = components;
    this.#nonces = new Nonces(components.clock);
    this.#limiter = new RateLimiter(options.rate ?? DEFAULT_RATE, components.clock);
    this.metrics = createMetricsRegistry(components.clock);
  }

  /** Answers one call, counts it, and gives every failure its documented form. */
  async answer(
    route: keyof typeof renewalPaths,
    request: FastifyRequest,
    reply: FastifyReply,
    respond: () => Promise<unknown>,
  ): Promise<unknown> {
    try {
      const waitMs = this.#limiter.take(request.ip);
      if (waitMs > 0) {
        void reply.header("retry-after", String(Math.ceil(waitMs / 1_000)));
        const refusal = new CaError("CA_CALL_RATE", `wait ${waitMs} ms`);
        return this.fail(route, reply, refusal, { retryAfterMs: waitMs });
      }
      const answer = await respond();
      this.metrics.counter(caMetrics.calls).add(1, { route, outcome: "ok" });
      return reply.send(answer);
    } catch (error) {
      return this.fail(route, reply, error);
    }
  }

  fail(
    route: string,
    reply: FastifyReply,
    error: unknown,
    how: { readonly retryAfterMs?: number; readonly status?: number } = {},
  ): FastifyReply {
    const known = error instanceof AppError ? error : undefined;
    const code = known?.code ?? ("CA_SERVICE_FAILED" satisfies CaErrorCode);
    const { logger } = this.#components;
    if (known === undefined) logger.error("call failed", { route, error });
    else logger.warn("call refused", { route, code, detail: known.message });
    this.metrics.counter(caMetrics.calls).add(1, { route, outcome: code });
    const status = how.status ?? STATUS[code] ?? (known === undefined ? 500 : 409);
    const retry = how.retryAfterMs === undefined ? {} : { retryAfterMs: how.retryAfterMs };
    const message = known?.message ?? "the service failed";
    return reply.code(status).send({ error: { code, message, remedy: remedyOf(code), ...retry } });
  }

  challenge(): object {
    const nonce = this.#nonces.draw();
    this.metrics.gauge(caMetrics.nonces).set(this.#nonces.size);
    return { nonce, expiresInMs: NONCE_MS };
  }

  async renew(body: unknown): Promise<object> {
    const parsed = renewalRequest.safeParse(body);
    if (!parsed.success) throw new CaError("CA_CALL_MALFORMED", "not a renewal");
    if (!this.#nonces.take(parsed.data.nonce)) throw new CaError("CA_NONCE_UNKNOWN", "nonce");
    const { folder, signer, logger } = this.#components;
    const call = await authenticate(folder, parsed.data);
    const { commonName } = call.certificate.subject;
    const details = { name: commonName, serialNumber: call.certificate.serialNumber };
    const actor = `holder of ${toHex(call.certificate.fingerprint)}`;
    const described = { act: "serve-renew", actor, details };
    const certificate = await folder.run(described, (act) =>
      renewFor(act, signer, call, this.#options.days),
    );
    this.metrics.counter(caMetrics.renewed).add();
    logger.info("certificate renewed", { ...details, newSerialNumber: certificate.serialNumber });
    return { certificate: base64(certificate.der) };
  }

  async list(reply: FastifyReply): Promise<unknown> {
    const der = await this.#components.folder.read((act) => {
      const number = act.state.list?.number;
      if (number === undefined) throw new CaError("CA_LIST_MISSING", "none was issued yet");
      return readListFile(act, number);
    });
    void reply.header("content-type", "application/pkix-crl");
    return Buffer.from(der);
  }

  /** Sets what is measured at the moment of a scrape. */
  async measure(): Promise<void> {
    const { folder, clock } = this.#components;
    await folder.read((act) => {
      const secondsUntil = (timeMs: number): number => (timeMs - clock.nowMs()) / 1_000;
      const { list, own } = act.state;
      if (list !== undefined) {
        this.metrics.gauge(caMetrics.listDue).set(secondsUntil(list.nextUpdateMs));
      }
      if (own !== undefined) {
        this.metrics.gauge(caMetrics.certificateEnd).set(secondsUntil(own.notAfterMs));
      }
    });
  }
}

function addRoutes(app: FastifyInstance, service: Service): void {
  app.post(renewalPaths.challenge, (request, reply) =>
    service.answer("challenge", request, reply, async () => service.challenge()),
  );
  app.post(renewalPaths.renew, (request, reply) =>
    service.answer("renew", request, reply, () => service.renew(request.body)),
  );
  app.get(renewalPaths.list, (request, reply) =>
    service.answer("list", request, reply, () => service.list(reply)),
  );
  app.get("/healthz", async () => ({ alive: true }));
  app.get("/metrics", async (_request, reply) => {
    await service.measure();
    const { metrics } = service;
    return reply.header("content-type", metrics.contentType).send(await metrics.scrape());
  });
  app.setNotFoundHandler((_request, reply) => {
    const error = new CaError("CA_CALL_MALFORMED", "no such path");
    return service.fail("unknown", reply, error, { status: 404 });
  });
  app.setErrorHandler((error: unknown, _request, reply) => {
    const status =
      typeof error === "object" && error !== null && "statusCode" in error ? error.statusCode : 500;
    if (status === 413) {
      return service.fail("unknown", reply, new CaError("CA_CALL_TOO_LARGE", "body"));
    }
    const isTheirs = typeof status === "number" && status < 500;
    return service.fail(
      "unknown",
      reply,
      isTheirs ? new CaError("CA_CALL_MALFORMED", "body") : error,
    );
  });
}

/**
 * Serves renewals of an organisation's CA: who holds a certificate in force and a one-time code from
 * the CA's operator gets a certificate on a fresh key. No call returns or takes a private key.
 * @throws CaError CA_KIND_WRONG, CA_EXPIRED, CA_SERVICE_PORT
 */
export async function startService(
  options: ServiceOptions,
  components: ServiceComponents,
): Promise<CaService> {
  await components.folder.read((act): Certificate => {
    if (act.description.kind !== "organization") throw new CaError("CA_KIND_WRONG", "a root");
    return ownCertificate(act);
  });
  const service = new Service(options, components);
  const app = fastify({
    bodyLimit: MAX_RENEWAL_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    logger: false,
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  addRoutes(app, service);
  const { host, port } = options;
  try {
    await app.listen({ host, port });
  } catch (cause) {
    service.metrics.close();
    throw new CaError("CA_SERVICE_PORT", `${host}:${port}`, { cause });
  }
  const { address, family, port: bound } = app.server.address() as AddressInfo;
  return {
    url: `http://${family === "IPv6" ? `[${address}]` : address}:${bound}`,
    async close() {
      await app.close();
      service.metrics.close();
    },
  };
}
