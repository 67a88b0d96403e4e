import { errorData, type MethodName, type MethodResult, methods, type Params } from "@credlink/api";
import { z } from "zod";
import { clientError, GatewayError } from "./errors.ts";

/** The part of the standard `fetch` that the SDK uses, so that tests and browsers bring theirs. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface RpcOptions {
  /** Address of the gateway's endpoint, for example `http://127.0.0.1:8645/rpc`. */
  readonly url: string;
  /** Default: the platform's own. */
  readonly fetch?: Fetch;
  /** How long one request may take, milliseconds. Default 15,000. */
  readonly timeoutMs?: number;
}

export interface RpcCall {
  readonly token?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Added to the time allowed: for calls that wait at the node, milliseconds. */
  readonly extraTimeoutMs?: number;
}

/** One request, one answer; no session and no retry. */
export interface Rpc {
  call<M extends MethodName>(
    method: M,
    params: Params<M>,
    options?: RpcCall,
  ): Promise<MethodResult<M>>;
}

const envelope = z.object({
  jsonrpc: z.literal("2.0"),
  id: z.union([z.number(), z.string(), z.null()]),
  result: z.unknown().optional(),
  error: z.object({ code: z.number(), message: z.string(), data: errorData.optional() }).optional(),
});

/** JSON-RPC 2.0 over HTTP, arguments and results held to the schemas of `@credlink/api`. */
export function createRpc(options: RpcOptions): Rpc {
  const send: Fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
  const timeoutMs = options.timeoutMs ?? 15_000;
  let lastId = 0;
  return {
    async call(method, params, call = {}) {
      const definition = methods[method];
      const checked = definition.params.safeParse(params);
      if (!checked.success) {
        throw clientError("CLIENT_PARAMS_INVALID", `${method}: ${z.prettifyError(checked.error)}`);
      }
      lastId += 1;
      const deadline = AbortSignal.timeout(timeoutMs + (call.extraTimeoutMs ?? 0));
      const signal =
        call.signal === undefined ? deadline : AbortSignal.any([deadline, call.signal]);
      const response = await exchange(send, options.url, {
        body: JSON.stringify({ jsonrpc: "2.0", id: lastId, method, params: checked.data }),
        token: call.token,
        signal,
        isOverdue: () => deadline.aborted,
      });
      return readResult(method, response);
    },
  };
}

interface Exchange {
  readonly body: string;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
  readonly isOverdue: () => boolean;
}

async function exchange(send: Fetch, url: string, request: Exchange) {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (request.token !== undefined) headers.authorization = `Bearer ${request.token}`;
  try {
    const init = { method: "POST", headers, body: request.body, signal: request.signal };
    const response = await send(url, init);
    return { httpStatus: response.status, body: await response.text() };
  } catch (cause) {
    if (request.isOverdue()) throw clientError("CLIENT_TIMEOUT", `${url} is late`, { cause });
    if (request.signal.aborted) throw cause;
    throw clientError("CLIENT_UNREACHABLE", `${url} does not answer`, { cause });
  }
}

function readResult<M extends MethodName>(
  method: M,
  response: { readonly httpStatus: number; readonly body: string },
): MethodResult<M> {
  const answer = envelope.safeParse(parseJson(response.body));
  if (!answer.success) {
    throw clientError(
      "CLIENT_RESPONSE_MALFORMED",
      `${method}: HTTP ${response.httpStatus} without a JSON-RPC answer`,
    );
  }
  const { error, result } = answer.data;
  if (error !== undefined) {
    const { code, remedy, retryAfterMs } = error.data ?? {
      code: `RPC_${error.code}`,
      remedy: "See the node's log.",
    };
    const { httpStatus } = response;
    const retry = retryAfterMs === undefined ? {} : { retryAfterMs };
    throw new GatewayError({ code, remedy, httpStatus, ...retry }, error.message);
  }
  const value = methods[method].result.safeParse(result);
  if (!value.success) {
    throw clientError("CLIENT_RESPONSE_MALFORMED", `${method}: ${z.prettifyError(value.error)}`);
  }
  // The schema of exactly this method accepted the value: this is the SDK's decoder door.
  return value.data as MethodResult<M>;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
