import { z } from "zod";
import type { ApiErrorCode } from "./errors.ts";
import { errorData } from "./methods.ts";

/** One call as it comes in. A request without an id is refused: every call has an answer. */
export const requestEnvelope = z.object({
  jsonrpc: z.literal("2.0"),
  id: z.union([z.string().max(128), z.number(), z.null()]),
  method: z.string().max(64),
  params: z.record(z.string(), z.unknown()).optional(),
});
export type RequestEnvelope = z.infer<typeof requestEnvelope>;

/** An error as it goes out. */
export const errorEnvelope = z.object({
  code: z.number().int(),
  message: z.string(),
  data: errorData,
});

/** One answer: a result or an error. */
export const responseEnvelope = z.union([
  z.object({
    jsonrpc: z.literal("2.0"),
    id: z.union([z.string(), z.number(), z.null()]),
    result: z.unknown(),
  }),
  z.object({
    jsonrpc: z.literal("2.0"),
    id: z.union([z.string(), z.number(), z.null()]),
    error: errorEnvelope,
  }),
]);
export type ResponseEnvelope = z.infer<typeof responseEnvelope>;

interface Kind {
  /** `error.code` of JSON-RPC 2.0. */
  readonly code: number;
  /** Status of an HTTP response that carries this one error. */
  readonly httpStatus: number;
}

const kinds: Readonly<Record<ApiErrorCode, Kind>> = {
  API_REQUEST_MALFORMED: { code: -32_600, httpStatus: 400 },
  API_BODY_TOO_LARGE: { code: -32_600, httpStatus: 413 },
  API_BATCH_TOO_LARGE: { code: -32_600, httpStatus: 400 },
  API_METHOD_UNKNOWN: { code: -32_601, httpStatus: 404 },
  API_PARAMS_INVALID: { code: -32_602, httpStatus: 400 },
  API_SESSION_REQUIRED: { code: -32_001, httpStatus: 401 },
  API_SESSION_ENDED: { code: -32_001, httpStatus: 401 },
  API_CHALLENGE_UNKNOWN: { code: -32_002, httpStatus: 401 },
  API_SIGNATURE_INVALID: { code: -32_002, httpStatus: 401 },
  API_MEMBER_UNKNOWN: { code: -32_003, httpStatus: 403 },
  API_MEMBER_INACTIVE: { code: -32_003, httpStatus: 403 },
  API_ROLE_FORBIDDEN: { code: -32_003, httpStatus: 403 },
  API_RATE_LIMITED: { code: -32_004, httpStatus: 429 },
  API_BUSY: { code: -32_004, httpStatus: 503 },
  API_NOT_FOUND: { code: -32_005, httpStatus: 404 },
  API_RECEIPT_NONE: { code: -32_005, httpStatus: 404 },
  API_WALK_TOO_LARGE: { code: -32_602, httpStatus: 400 },
  API_ADDRESS_INVALID: { code: -32_602, httpStatus: 400 },
  API_INTERNAL: { code: -32_603, httpStatus: 500 },
};

/** A transaction or query that was understood and refused; `data.code` says why. */
export const REFUSED: Kind = { code: -32_010, httpStatus: 200 };

/** Numbers that go with an error's code; codes of other packages are refusals (−32010). */
export function rpcErrorKind(code: string): Kind {
  return Object.hasOwn(kinds, code) ? kinds[code as ApiErrorCode] : REFUSED;
}
