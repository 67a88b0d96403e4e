/**
 * What crosses a node's border: methods, their parameters and results, errors.
 *
 * ```ts
 * import { methods } from "@credlink/api";
 *
 * methods["block.header"].params.parse({ height: 7 }); // { height: 7 }
 * methods["block.header"].session; // true
 * ```
 */

export { MAX_CREDENTIAL_PAGE, MAX_TRACE_DEPTH } from "./credential-methods.ts";
export { type ApiErrorCode, apiErrors } from "./errors.ts";
export {
  errorEnvelope,
  REFUSED,
  type RequestEnvelope,
  type ResponseEnvelope,
  requestEnvelope,
  responseEnvelope,
  rpcErrorKind,
} from "./json-rpc.ts";
export * from "./methods.ts";
export { createOpenRPCDocument, type OpenRPCDocument } from "./open-rpc.ts";
export * from "./renewal.ts";
export * from "./scalars.ts";
