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

export {
  AUDIT_DOMAIN,
  type AuditEntry,
  type AuditType,
  auditEntryCodec,
  auditTypes,
  MAX_AUDIT_DETAIL_BYTES,
} from "./audit-entry.ts";
export {
  auditEntryJson,
  MAX_CONTROL_PAGE,
  MAX_EVENT_WAIT_MS,
  type NodeMode,
  nodeModes,
} from "./control-methods.ts";
export {
  CONTROL_DOMAIN,
  CONTROL_VERSION,
  type ControlAction,
  type ControlRequest,
  controlActions,
  controlRequestCodec,
  MAX_CONTROL_BYTES,
  MAX_CONTROL_LIFETIME_MS,
} from "./control-request.ts";
export { MAX_CREDENTIAL_PAGE, MAX_TRACE_DEPTH } from "./credential-methods.ts";
export { CUSTODY_NOTICE, CUSTODY_NOTICE_ID } from "./custody-notice.ts";
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
export {
  actionOf,
  type ReceiptAction,
  receiptActions,
  transactionActions,
} from "./receipt-actions.ts";
export * from "./renewal.ts";
export * from "./scalars.ts";
export * from "./signed-receipt.ts";
