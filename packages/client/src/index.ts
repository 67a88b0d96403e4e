/**
 * The SDK: transactions, receipts and reads that are believed by proof only.
 *
 * ```ts
 * import { createClient, createIdentity } from "@credlink/client";
 * import { createSm2Signer } from "@credlink/crypto";
 *
 * const identity = createIdentity(createSm2Signer(privateKey));
 * const client = createClient({ url: "http://127.0.0.1:8645/rpc", genesis, identity });
 * const committed = await client.execute({ contract: "credential", version: "1.0.0",
 *   method: "submit", args });
 * committed.header.certificate; // the quorum that certified the block it stands in
 * ```
 */
export {
  combineEndorsements,
  createAccountCall,
  draftTransaction,
  endorse,
  getAccount,
  type NewAccount,
  readDraft,
  renewAccountCall,
  setAccountSignersCall,
} from "./accounts.ts";
export {
  type CaseTarget,
  getArbitrators,
  getCase,
  type ProvenCase,
  setArbitrators,
} from "./arbitration.ts";
export { type ChainSource, type ChainVerifier, createChainVerifier } from "./chain-verifier.ts";
export {
  type CallOptions,
  type Client,
  type ClientOptions,
  createClient,
  type QueryAnswer,
  type SubmitResult,
  type WaitOptions,
} from "./client.ts";
export { getContractQuota, type ProvenQuota, setContractQuota } from "./contract-quota.ts";
export {
  acceptFindings,
  approveContract,
  areFindingsAccepted,
  type ChangedContract,
  type ContractVersions,
  type DeclaredScan,
  demandInstalled,
  demandVersions,
  getContractVersions,
  getDeclaredScans,
  getInstalledContract,
  type InstalledContract,
  installContract,
  listContractNames,
  readContractCode,
  setContractFrozen,
  startContract,
  stopContract,
  upgradeContract,
  type VersionName,
} from "./contracts.ts";
export {
  type CredentialId,
  credentialCall,
  publishFields,
  revokeCredential,
} from "./credential-calls.ts";
export {
  findByIndex,
  getCredential,
  type ProvenCredential,
  type TraceOptions,
  type TracePage,
  type TraceStep,
  tracePage,
  traceUp,
} from "./credentials.ts";
export {
  ENROLMENT_LANES,
  type EnrolledIndividual,
  enrolIndividuals,
  enrollIndividualsCall,
  MAX_ENROLMENT_ROUND,
  type Validity,
} from "./enrol-individuals.ts";
export {
  bindKeyCall,
  enrolmentSecret,
  enrolPerson,
  individualOf,
  MAX_REFERENCE_BYTES,
  type Person,
  type PersonEnrolment,
  proveBinding,
} from "./enrolment.ts";
export { ClientError, type ClientErrorCode, clientErrors, GatewayError } from "./errors.ts";
export {
  type EvidenceListOptions,
  type EvidencePage,
  getEvidence,
  type HeightEvidence,
  listEvidence,
  MAX_EVIDENCE_PAGE,
  type ProvenEvidence,
} from "./evidence.ts";
export { type Executed, executeFor } from "./executed.ts";
export {
  enrollExternalCall,
  getExternalAuthority,
  listExternalAuthorities,
  proposeExternalAuthorityCall,
  proposeExternalWithdrawalCall,
  registerExternalListCall,
  renewExternalCall,
} from "./external-authorities.ts";
export {
  cancelProposalCall,
  getContributions,
  getGovernanceRules,
  getProposal,
  listProposals,
  MAX_PROPOSAL_PAGE,
  type ProvenProposal,
  proposeCall,
  setDelegatesCall,
  voteCall,
} from "./governance.ts";
export { type GrantState, getGrant, type ProvenGrant, useGrant } from "./grants.ts";
export { type HeaderClaim, readGenesis, type VerifiedHeader } from "./header-claims.ts";
export { getConsensusHistory, type VerifiedHistory } from "./history.ts";
export {
  applyCall,
  evidenceDigest,
  findEvidence,
  getIdentity,
  listMembers,
  readEvidence,
  type SeenEvidence,
  seeEvidence,
  verifyMemberCall,
} from "./member-identity.ts";
export {
  proveKey,
  type RotatedKey,
  renewCertificateCall,
  rotateKey,
  rotateKeyCall,
} from "./member-keys.ts";
export {
  enrollCalls,
  getMember,
  registerRelationKeysCalls,
  registerRevocationListCall,
  setMemberStatusCall,
} from "./members.ts";
export {
  CONTROL_LIFETIME_MS,
  controlNode,
  type NodeRequest,
  type ReadAuditEntry,
  readAuditEntries,
  signNodeRequest,
} from "./node-control.ts";
export {
  getFeed,
  listFeeds,
  type ProvenFeed,
  type PublisherWord,
  publishObservation,
  removeFeed,
  setFeed,
} from "./oracles.ts";
export {
  type ExportedPackage,
  exportCredential,
  exportDisclosure,
  exportEvidence,
  type Opening,
} from "./package/export.ts";
export {
  MAX_PACKAGE_BYTES,
  MAX_PACKAGE_LINE_BYTES,
  MAX_PACKAGE_LINES,
  PACKAGE_FORMAT,
} from "./package/lines.ts";
export {
  createPackageVerifier,
  MAX_PACKAGE_CREDENTIALS,
  type PackageCredential,
  type PackageReport,
  type PackageSchema,
  type PackageVerifier,
  verifyPackage,
} from "./package/verify.ts";
export type { PackageTransaction } from "./package/verify-transaction.ts";
export { getPublicData, type ProvenPublicData } from "./public-data.ts";
export {
  type KeptReceipt,
  MAX_RECEIPT_LINE_BYTES,
  RECEIPT_FORMAT,
  readReceiptLine,
  writeReceiptLine,
} from "./receipts/lines.ts";
export { type Received, signReceived } from "./receipts/received.ts";
export {
  checkReceiptContent,
  checkReceiptOutcome,
  type ReceiptSigner,
  receivedContentDigest,
  type VerifiedReceipt,
  verifyReceipt,
} from "./receipts/verify.ts";
export {
  type CommittedTransaction,
  type VerifiedBlock,
  type VerifiedOutcome,
  type VerifiedState,
  type VerifiedStates,
  verifyBlock,
  verifyOutcome,
  verifyState,
} from "./records.ts";
export {
  cancelRecoveryCall,
  completeRecoveryCall,
  getRecovery,
  listRecoveries,
  proposeRecoveryCall,
  recoverAdminCall,
} from "./recovery.ts";
export {
  codeKey,
  codeKeyOfProof,
  normalizeCode,
  proveCode,
  type RenewalOptions,
  type RenewalTerms,
  renewalPayload,
  renewalSigningMessage,
  requestRenewal,
  storedCode,
} from "./renewal.ts";
export { createRpc, type Fetch, type Rpc, type RpcCall, type RpcOptions } from "./rpc.ts";
export {
  getPayloadSchema,
  getSchema,
  listSchemas,
  registerSchema,
  type SchemaVersionInfo,
  withdrawSchema,
} from "./schemas.ts";
export { createIdentity, type Identity, SESSION_DOMAIN, sessionMessage } from "./session.ts";
export { submitCredentialsCall } from "./submissions.ts";
export {
  type Call,
  createTransactionBuilder,
  DEFAULT_EXPIRY_BLOCKS,
  DEFAULT_GAS_LIMIT,
  encodeArgs,
  type SignedCall,
  signTransaction,
  type TransactionBuilder,
  type TransactionBuilderOptions,
} from "./transactions.ts";
export type { ValidatorsLink } from "./trusted-lists.ts";
export { changeValidatorsCall } from "./validators.ts";
export { didOf } from "./vc/did.ts";
export { CRYPTOSUITE } from "./vc/suite.ts";
export {
  exportVerifiableCredential,
  type VerifiableCredential,
  type VerifiedCredential,
  verifyVerifiableCredential,
} from "./vc/verifiable-credential.ts";
