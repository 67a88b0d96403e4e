import { defineErrors } from "@credlink/primitives";

/** Status codes with which the built-in contracts refuse. */
export const builtInErrors = defineErrors({
  MEMBERS_NOT_FOUND: {
    meaning: "No member has this address.",
    remedy: "Check the address; enrol the member first.",
  },
  MEMBERS_ORGANIZATION_UNKNOWN: {
    meaning: "The certificate or list belongs to no registered organisation.",
    remedy: "Use a certificate or list of an organisation that genesis names.",
  },
  MEMBERS_ALREADY_ENROLLED: {
    meaning: "A member with this key, or with this certificate's serial number, exists.",
    remedy: "Use a fresh key for every member and relation.",
  },
  MEMBERS_ROLE_FORBIDDEN: {
    meaning: "The caller may not enrol or manage members of this role or organisation.",
    remedy: "Let an admin of the organisation call; institutions manage whom they enrolled.",
  },
  MEMBERS_CERTIFICATE_MALFORMED: {
    meaning: "A certificate cannot be read.",
    remedy: "Give DER of an SM2 certificate as docs/protocol/crypto.md says.",
  },
  MEMBERS_CERTIFICATE_UNKNOWN_ROOT: {
    meaning: "A certificate does not lead over its organisation's CA to a root of the consortium.",
    remedy: "Have the certificate issued by the registered CA of its organisation.",
  },
  MEMBERS_CERTIFICATE_BAD_SIGNATURE: {
    meaning: "A certificate's signature is not its issuer's.",
    remedy: "Obtain the certificate again from its issuer.",
  },
  MEMBERS_CERTIFICATE_EXPIRED: {
    meaning: "A certificate had expired at the block's time.",
    remedy: "Renew the certificate.",
  },
  MEMBERS_CERTIFICATE_NOT_YET_VALID: {
    meaning: "A certificate is not yet valid at the block's time.",
    remedy: "Wait until it is, or have it issued for now.",
  },
  MEMBERS_CERTIFICATE_REVOKED: {
    meaning: "A certificate stands in the revocation list registered for its issuer.",
    remedy: "Have a new certificate issued for a fresh key.",
  },
  MEMBERS_CERTIFICATE_VALIDITY_TOO_LONG: {
    meaning: "A member's certificate is valid for more than three years (1,096 days).",
    remedy: "Have it issued for at most three years; members renew before the end.",
  },
  MEMBERS_CERTIFICATE_ROLE_MISSING: {
    meaning: "A certificate's OU is not a role of the network.",
    remedy: "Have the certificate issued with its role as OU.",
  },
  MEMBERS_CERTIFICATE_REFUSED: {
    meaning: "A certificate's usage, issuer or path is not allowed, or its issuer's list is stale.",
    remedy: "Compare it with the profile in docs/protocol/crypto.md; register a newer list.",
  },
  MEMBERS_KEY_INVALID: {
    meaning: "A relation key is not a point on the SM2 curve.",
    remedy: "Give 65 bytes, uncompressed, of a key pair that was generated for the purpose.",
  },
  MEMBERS_VALIDITY_INVALID: {
    meaning: "A relation key's validity is empty, over already, or longer than three years.",
    remedy: "Choose a validity that ends after now, at most three years after its start.",
  },
  MEMBERS_BATCH_EMPTY: {
    meaning: "A batch of individuals holds none.",
    remedy: "Name 1 to 100 individuals.",
  },
  MEMBERS_KEY_MISSING: {
    meaning: "An individual that was enrolled without a key is active only once it binds its own.",
    remedy: "Let it bind a key by its enrolment secret: `credlink member bind`.",
  },
  MEMBERS_KEY_BOUND: {
    meaning: "The individual has bound a key already; an enrolment secret serves once.",
    remedy: "Change the key by members.rotateKey, under the key that counts now.",
  },
  MEMBERS_BINDING_NOT_PROVEN: {
    meaning: "The enrolment key is not the individual's, or did not sign for this key and chain.",
    remedy: "Make the binding anew from the enrolment that the institution handed out.",
  },
  MEMBERS_ACCOUNT_INVALID: {
    meaning:
      "The signers of an account are none, not ascending, twice the same, no active members with " +
      "keys of their own, nodes, or fewer than its threshold.",
    remedy: "Name 1 to 16 active members, ascending by address, and a threshold of 1 to so many.",
  },
  MEMBERS_NO_ACCOUNT: {
    meaning: "The address is no account that several members sign for.",
    remedy: "Check the address; the account itself changes its signers.",
  },
  MEMBERS_ACCOUNT_FULL: {
    meaning: "The signers of this account were set 32 times.",
    remedy: "Create another account.",
  },
  MEMBERS_KEY_OF_ACCOUNT: {
    meaning: "An account has no key of its own.",
    remedy: "Change its signers by members.setAccountSigners.",
  },
  MEMBERS_RECOVERY_OPEN: {
    meaning: "A recovery of this member waits already.",
    remedy: "Complete it once its time has come, or cancel it first.",
  },
  MEMBERS_NO_RECOVERY: {
    meaning: "No recovery of this member waits: it was cancelled, completed, or is over.",
    remedy: "Propose another one.",
  },
  MEMBERS_RECOVERY_EARLY: {
    meaning: "The time in which the member may object to its recovery is not over.",
    remedy: "Complete it later; `credlink member recoveries` says when.",
  },
  MEMBERS_RECOVERY_DELAY: {
    meaning: "The waiting time of recoveries is below an hour or above 90 days.",
    remedy: "Choose a time within these bounds, in milliseconds.",
  },
  MEMBERS_KEY_KNOWN: {
    meaning: "The new key is, or once was, a member's.",
    remedy: "Generate a fresh key pair.",
  },
  MEMBERS_KEY_NOT_PROVEN: {
    meaning: "The new key did not sign for this chain, this member and its next place.",
    remedy: "Sign the possession message anew with the new key; read the member's record first.",
  },
  MEMBERS_KEY_CHANGED_ALREADY: {
    meaning: "The member's key was changed in this block.",
    remedy: "Wait for the next block.",
  },
  MEMBERS_KEYS_FULL: {
    meaning: "The member has had 64 keys, which is the most.",
    remedy: "Enrol anew with a fresh key; the old address stays readable.",
  },
  MEMBERS_CERTIFICATE_REQUIRED: {
    meaning: "A node's new key comes with a certificate over it.",
    remedy: "Have the organisation's CA sign a request made with the new key.",
  },
  MEMBERS_CERTIFICATE_OTHER: {
    meaning: "The certificate is of another key, role or organisation than the member.",
    remedy: "Have it issued over the member's own key, with its role and organisation.",
  },
  MEMBERS_NOT_ACTIVE: {
    meaning: "The member is not active at this point of the block.",
    remedy: "Have its membership activated or resumed first.",
  },
  MEMBERS_STATUS_UNCHANGED: {
    meaning: "The member has this status already.",
    remedy: "Nothing to do.",
  },
  MEMBERS_STATUS_STEP: {
    meaning: "No step leads from the member's status to this one.",
    remedy: "Take the steps in order: applied, verified, active; see docs/protocol/contracts.md.",
  },
  MEMBERS_EVIDENCE_MISSING: {
    meaning: "A member is verified by evidence, and none was given.",
    remedy: "Call verify with at least one digest of what was shown.",
  },
  MEMBERS_EVIDENCE_FULL: {
    meaning: "A member's record would have more than 8 pieces of evidence.",
    remedy: "Nothing: what is there stays, and shows when it was seen.",
  },
  MEMBERS_LIST_LIMIT: {
    meaning: "A page of members has 1 to 32.",
    remedy: "Ask for fewer, and read on from the address after the last one.",
  },
  MEMBERS_STATUS_FINAL: {
    meaning: "A member that left or was revoked does not come back.",
    remedy: "Enrol the member again with a fresh key.",
  },
  MEMBERS_HELD_BY_REGULATOR: {
    meaning: "A regulator suspended the member; only a regulator reactivates it.",
    remedy: "Ask the regulator.",
  },
  MEMBERS_EXTERNAL_INVALID: {
    meaning: "This is no outside certificate authority that can be registered.",
    remedy:
      "Give a name of a-z, 0-9 and hyphens, roles each once, and one valid chain from the self-signed root to the CA that issues.",
  },
  MEMBERS_EXTERNAL_KNOWN: {
    meaning: "An outside authority is, or was, registered under this name.",
    remedy: "Choose another name: names are not used again.",
  },
  MEMBERS_EXTERNAL_FULL: {
    meaning: "As many outside authorities are registered as there may be, 16.",
    remedy: "Use one of them.",
  },
  MEMBERS_EXTERNAL_TAKEN: {
    meaning:
      "A certificate of the chain has the name or key of a root or CA of the consortium, or of another outside CA.",
    remedy: "Register the outside authority's own certificates.",
  },
  MEMBERS_EXTERNAL_UNKNOWN: {
    meaning:
      "No outside authority has this name, or the member's certificate is none of an outside one.",
    remedy: "See the registered ones: `credlink authority list`.",
  },
  MEMBERS_EXTERNAL_WITHDRAWN: {
    meaning: "The outside authority was withdrawn: nothing of it is taken any more.",
    remedy: "Enrol the member under a certificate of another authority.",
  },
  MEMBERS_REVOCATION_LIST_MALFORMED: {
    meaning: "A revocation list cannot be read.",
    remedy: "Give DER of a complete X.509 v2 list.",
  },
  MEMBERS_REVOCATION_LIST_REFUSED: {
    meaning: "A revocation list is not signed by its organisation's CA, or is stale already.",
    remedy: "Issue a fresh list with the CA's key.",
  },
  MEMBERS_REVOCATION_LIST_OLD: {
    meaning: "A list that is as new or newer is registered.",
    remedy: "Register only newer lists.",
  },
  MEMBERS_ROOT_FIXED: {
    meaning: "A root's certificate is given as an organisation's CA; roots are those of genesis.",
    remedy: "Have the CA certified by a root of genesis; another root needs a new chain.",
  },
  MEMBERS_AUTHORITY_KNOWN: {
    meaning: "The organisation has, or once had, this CA.",
    remedy: "Give the certificate of its successor.",
  },
  MEMBERS_AUTHORITY_PERIOD: {
    meaning:
      "How long certificates of the CA before count on is missing for a new key, given for the same " +
      "key, or longer than 1,096 days.",
    remedy: "Give a time with a new key, null with the same one.",
  },
  MEMBERS_AUTHORITIES_FULL: {
    meaning: "Sixteen CAs of the organisation were replaced already.",
    remedy: "Renew the certificate of the CA on its present key.",
  },
  MEMBERS_AUTHORITY_LEAVES_NONE: {
    meaning:
      "Certificates of the CA before end at once, and no active admin, or not every validator, of the " +
      "organisation has one of the new CA.",
    remedy: "Bring their certificates along, or remove the validator first.",
  },
  VALIDATORS_NOTHING_TO_DO: {
    meaning: "The change neither adds nor removes.",
    remedy: "Name validators to add or to remove.",
  },
  VALIDATORS_DUPLICATE: {
    meaning: "A validator of this node id, peer id or key exists, or is named twice.",
    remedy: "Check the list of validators.",
  },
  VALIDATORS_UNKNOWN: {
    meaning: "No validator has this node id.",
    remedy: "Check the list of validators.",
  },
  VALIDATORS_CERTIFICATE: {
    meaning: "A node's certificate is refused, has not the role validator, or another node id.",
    remedy: "Have the node's certificate issued with OU validator and CN its node id.",
  },
  VALIDATORS_NOT_READY: {
    meaning:
      "The node is no member yet, or has not said within the last 100 blocks that it follows.",
    remedy: "Enrol the node's certificate, start it, and add it once it has caught up.",
  },
  VALIDATORS_READY_REFUSED: {
    meaning: "The named block is older than 100 blocks, or not of this chain.",
    remedy: "Nothing: the node says it again by itself once it has caught up.",
  },
  VALIDATORS_TOO_MANY_CHANGES: {
    meaning: "More changes in one block than max(1, f).",
    remedy: "Spread the changes over several blocks.",
  },
  VALIDATORS_TOO_FEW: {
    meaning: "Fewer than four validators would be left.",
    remedy: "Add a validator first.",
  },
  VALIDATORS_SOLO: {
    meaning: "The chain was made for one validator, in the solo mode for development.",
    remedy: "Make a chain with `--consensus pbft`.",
  },
  VALIDATORS_TOO_MANY: {
    meaning: "More than 128 validators.",
    remedy: "Remove a validator first.",
  },
  VALIDATORS_NOT_A_VALIDATOR: {
    meaning: "The caller's key is not that of a validator in the list.",
    remedy: "Only a validator's own node calls this.",
  },
  CONTRACTS_NAME_INVALID: {
    meaning: "A contract's name or version has a wrong form, or is a built-in contract's.",
    remedy: "Use a name such as credential and a version such as 1.0.0.",
  },
  CONTRACTS_NOT_INSTALLED: {
    meaning: "This version of the contract is not installed.",
    remedy: "Install it first; check name and version.",
  },
  CONTRACTS_VERSION_EXISTS: {
    meaning: "This version is installed already; a version never changes.",
    remedy: "Install the code under a new version.",
  },
  CONTRACTS_VERSION_OLD: {
    meaning: "A version that is as new or newer is installed.",
    remedy: "Install the code under a version above all installed ones.",
  },
  CONTRACTS_FROZEN: {
    meaning: "A regulator froze the contract.",
    remedy: "Ask the regulator; nobody else lifts it.",
  },
  CONTRACTS_NOT_FROZEN: {
    meaning: "The contract is not frozen.",
    remedy: "Nothing to do.",
  },
  CONTRACTS_TOO_MANY: {
    meaning: "The registry holds as many contracts, or versions of one, as it may.",
    remedy: "Use an existing contract's next version, or another name.",
  },
  CONTRACTS_DIGEST_WRONG: {
    meaning: "The code's digest is not the installed version's.",
    remedy: "Approve only what you have reviewed: compare the digests.",
  },
  CONTRACTS_ALREADY_APPROVED: {
    meaning: "The organisations of the signing admins approved, or voted, already.",
    remedy: "Nothing to do.",
  },
  CONTRACTS_NOT_APPROVED: {
    meaning:
      "Organisations that approved this version since it last ran weigh too little for a decision.",
    remedy: "Collect approvals, then start it.",
  },
  CONTRACTS_FINDINGS_HIGH: {
    meaning: "An organisation that signs for the contract declares findings of high severity.",
    remedy:
      "Correct the contract. If they are no danger, admins of a majority accept them for this module: `contract accept-findings`.",
  },
  CONTRACTS_ALREADY_STARTED: {
    meaning: "This version is started already.",
    remedy: "Nothing to do.",
  },
  CONTRACTS_NOT_STARTED: {
    meaning: "This version is not started.",
    remedy: "Nothing to do.",
  },
  CONTRACTS_RANGE_INVALID: {
    meaning: "The asked part of the code lies outside it or is larger than 15 KiB.",
    remedy: "Ask for at most 15 KiB at a time, inside the code.",
  },
  CONTRACTS_QUOTA_INVALID: {
    meaning: "A quota is 0 or above 2^50.",
    remedy: "Name how many keys and bytes the contract may hold, or null for the chain's own.",
  },
  PARAMETERS_INVALID: {
    meaning: "A parameter is outside the bounds within which the chain keeps working.",
    remedy: "Compare the values with the bounds in docs/protocol/contracts.md.",
  },
  ORACLES_FEED_INVALID: {
    meaning: "A feed's name, publishers, size of values or validity is outside its bounds.",
    remedy: "Compare the feed with the bounds in docs/protocol/contracts.md.",
  },
  ORACLES_FEED_UNKNOWN: {
    meaning: "No feed of this name is registered.",
    remedy: "Check the name; have the feed registered by governance first.",
  },
  ORACLES_TOO_MANY: {
    meaning: "There are as many feeds as there may be.",
    remedy: "Have a feed removed that nobody reads.",
  },
  ORACLES_NOT_A_PUBLISHER: {
    meaning: "The sender is none of the feed's publishers.",
    remedy: "Have the feed set again with the sender among its publishers.",
  },
  ORACLES_VALUE_TOO_LARGE: {
    meaning: "The value has more bytes than the feed permits.",
    remedy: "Publish less: a digest, for example.",
  },
  ORACLES_TIME_INVALID: {
    meaning: "The observation is from after the block's time, or older than the feed's validity.",
    remedy: "Check the publisher's clock; publish soon after observing.",
  },
  ORACLES_NOT_NEWER: {
    meaning: "The publisher said something newer, or of the same time, already.",
    remedy: "Nothing: only newer observations count.",
  },
  GOVERNANCE_VOTES_MISSING: {
    meaning: "The organisations of the signers do not weigh enough for a decision of this class.",
    remedy: "Collect signatures of more organisations, or propose it to governance.",
  },
  GOVERNANCE_DELAY: {
    meaning: "Decisions of this class wait between passing and execution; one transaction cannot.",
    remedy: "Propose it to governance.",
  },
  GOVERNANCE_VOTER: {
    meaning: "No signer may vote on this: an admin or delegate of an organisation with a vote.",
    remedy: "Sign as an admin, or have the organisation's admin name you a delegate.",
  },
  GOVERNANCE_NOT_GOVERNED: {
    meaning: "The call names no method that a decision carries out.",
    remedy: "Choose one of the governed methods that docs/protocol/governance.md lists.",
  },
  GOVERNANCE_TOO_MANY_OPEN: {
    meaning: "The organisation, or all together, have as many open proposals as the rules permit.",
    remedy: "Wait until one is decided or expires, or cancel one.",
  },
  GOVERNANCE_HEIGHT_INVALID: {
    meaning: "The height of execution is not above this block, or more than 1,000,000 above it.",
    remedy: "Name a later height, or 0 to execute it as soon as it passed.",
  },
  GOVERNANCE_UNKNOWN: {
    meaning: "There is no proposal of this number.",
    remedy: "List the proposals.",
  },
  GOVERNANCE_DIGEST_WRONG: {
    meaning: "The digest is not that of the proposal of this number.",
    remedy: "Read the proposal again before voting on it.",
  },
  GOVERNANCE_DECIDED: {
    meaning: "The proposal is decided, has expired or was cancelled.",
    remedy: "Nothing to do; propose it anew if need be.",
  },
  GOVERNANCE_NOT_PROPOSER: {
    meaning: "Only the organisation that proposed it cancels a proposal.",
    remedy: "Vote against it.",
  },
  GOVERNANCE_RULES_INVALID: {
    meaning: "Rules of governance are outside their bounds, or name what is not there.",
    remedy: "Compare them with the bounds in docs/protocol/governance.md.",
  },
  GOVERNANCE_RESTRICTION: {
    meaning: "An emergency restricts neither admins nor nodes.",
    remedy: "Propose an ordinary decision: governance.setMemberStatus or validators.change.",
  },
  GOVERNANCE_VALIDATOR: {
    meaning: "The member is a validator: suspended, it would count for the quorum and not vote.",
    remedy: "Remove it from the validators first, or revoke it, which removes it.",
  },
  GOVERNANCE_RESTRICTED_BEFORE: {
    meaning: "The target is restricted, or was lately and nobody confirmed it.",
    remedy: "Confirm it by an ordinary decision, governance.setMemberStatus or .setContractFrozen.",
  },
  GOVERNANCE_TOO_MANY_RESTRICTIONS: {
    meaning: "There are as many emergency restrictions as there may be, ended ones included.",
    remedy: "Confirm or lift some by an ordinary decision.",
  },
  GOVERNANCE_DELEGATE_INVALID: {
    meaning: "A delegate is named twice, or is no active member of the organisation that may vote.",
    remedy: "Name enterprises, individuals, institutions or regulators of your own organisation.",
  },
});

export type BuiltInErrorCode = keyof typeof builtInErrors;
