/**
 * A certificate authority in a folder: a consortium's root, or an organisation's CA.
 *
 * ```ts
 * import { AuthorityFolder, createRootAuthority, issueList, unlockAuthority } from "@credlink/ca";
 * import { systemClock } from "@credlink/node/service";
 *
 * const options = { dir: "root-ca", organization: "gig-consortium", password, clock: systemClock };
 * await createRootAuthority({ ...options, days: 7300 });
 * const folder = new AuthorityFolder("root-ca");
 * const signer = await unlockAuthority(folder, password);
 * const act = { act: "crl", actor: "me" };
 * const list = await folder.run(act, (open) => issueList(open, signer, 30));
 * list.number; // 1
 * ```
 */
export { type AdoptedAuthority, adoptAuthority } from "./adopt.ts";
export { type CheckedAuthority, checkAuthority, readListFile, unlockAuthority } from "./check.ts";
export { type IssuedCode, issueCode, MAX_CODE_ATTEMPTS, MAX_CODE_VALIDITY_MS } from "./codes.ts";
export {
  acceptCertificate,
  createOrganizationAuthority,
  createRootAuthority,
  type NewAuthority,
  readCertificateOf,
} from "./create.ts";
export {
  type Acknowledgement,
  acknowledgeCustody,
  CUSTODY_NOTICE,
  CUSTODY_NOTICE_ID,
  checkAcknowledgement,
} from "./custody.ts";
export { CaError, type CaErrorCode, caErrors } from "./errors.ts";
export { authorityPaths, readOrMakePassword, readSecret, replaceFile } from "./files.ts";
export {
  type Act,
  type ActDescription,
  type AuthorityDescription,
  AuthorityFolder,
  currentActor,
  readDescription,
} from "./folder.ts";
export type {
  CertificateStatus,
  IssuanceState,
  IssuedCertificate,
  IssuedList,
  RevokedCertificate,
} from "./issuance-state.ts";
export {
  findIssued,
  findNamed,
  issueAuthority,
  issueMember,
  MAX_MEMBER_DAYS,
  type MemberApproval,
  ownCertificate,
  type RenewalApproval,
  readRequest,
  renewCertificate,
} from "./issue.ts";
export { createMemberRequest, type MemberRequest } from "./member-request.ts";
export { caMetrics } from "./metrics.ts";
export { type IssuedRevocationReason, REVOCATION_REASONS } from "./records.ts";
export { issueList, revokeCertificate } from "./revoke.ts";
export {
  type CaService,
  type ServiceComponents,
  type ServiceOptions,
  startService,
} from "./service.ts";
