/** Arguments, results and events of the built-in contracts beyond those that ledger declares. */
export { ACCOUNT_RENEWED_TOPIC, ACCOUNT_TOPIC, accountEventCodec } from "./accounts.ts";
export {
  type AcceptedFindings,
  acceptedFindingsCodec,
  type CodeDigestArgs,
  codeDigestArgsCodec,
} from "./contract-findings.ts";
export {
  CONTRACT_CHANGED_TOPIC,
  type ContractChanged,
  type ContractNameArgs,
  contractChangedCodec,
  contractListCodec,
  contractNameArgsCodec,
  type GetCodeArgs,
  type GetContractArgs,
  getCodeArgsCodec,
  getContractArgsCodec,
  type ListedContract,
  MAX_CODE_PART_BYTES,
} from "./contracts.ts";
export { MEMBER_ENROLLED_TOPIC } from "./enrolling.ts";
export { EXTERNAL_AUTHORITY_TOPIC } from "./external-authorities.ts";
export { INDIVIDUALS_ENROLLED_TOPIC } from "./individuals.ts";
export { MEMBER_IDENTITY_TOPIC } from "./member-identity.ts";
export { MEMBER_KEY_TOPIC } from "./member-keys.ts";
export { MEMBER_STATUS_TOPIC } from "./member-status.ts";
export { MAX_RELATION_KEY_VALIDITY_MS } from "./member-validity.ts";
export {
  enrolledCodec,
  type GetOrganizationArgs,
  getOrganizationArgsCodec,
  noArgsCodec,
} from "./members.ts";
export {
  FEED_REMOVED_TOPIC,
  FEED_TOPIC,
  feedNamesCodec,
  PUBLISHED_TOPIC,
  type Published,
  publishedCodec,
} from "./oracles.ts";
export { MAX_EXECUTION_DISTANCE, PROPOSAL_TOPIC } from "./proposals.ts";
export { REVOCATION_LIST_TOPIC } from "./revocation.ts";
export {
  type ContractState,
  type ContractVersions,
  contractNamesCodec,
  contractStates,
  contractVersionsCodec,
  type DeclaredScan,
  declaredScansCodec,
  type InstalledContract,
  installedContractCodec,
  type Organization,
  organizationCodec,
  organizationNamesCodec,
  PARAMETERS_CONTRACT,
  validatorListCodec,
} from "./rows.ts";
export {
  contractNamesKey,
  contractQuotaKey,
  contractUsageKey,
  contractVersionsKey,
  declaredScansKey,
  feedKey,
  feedNamesKey,
  installedContractKey,
  observationKey,
  parametersKey,
} from "./state-keys.ts";
export {
  VALIDATORS_CHANGED_TOPIC,
  type ValidatorsChanged,
  validatorsChangedCodec,
} from "./validator-registry.ts";
