/**
 * What a receipt can be of: the eight kinds of act that nobody shall be able to deny.
 * @see docs/protocol/receipts.md
 */
export const receiptActions = [
  "send",
  "receive",
  "approve",
  "create",
  "modify",
  "delete",
  "add",
  "configure",
] as const;
export type ReceiptAction = (typeof receiptActions)[number];

type Actions = Readonly<Record<string, ReceiptAction>>;

/** contract -> method -> what calling it is. Methods that only read are no acts. */
export const transactionActions: Readonly<Record<string, Actions>> = {
  members: {
    enroll: "add",
    enrollIndividuals: "add",
    bindKey: "modify",
    registerRelationKeys: "add",
    apply: "add",
    verify: "approve",
    setStatus: "modify",
    rotateKey: "modify",
    renewCertificate: "modify",
    registerRevocationList: "delete",
    replaceAuthority: "configure",
    createAccount: "create",
    renewAccount: "modify",
    setAccountSigners: "modify",
    proposeRecovery: "create",
    completeRecovery: "modify",
    cancelRecovery: "delete",
    recoverAdmin: "modify",
    setRecoveryDelay: "configure",
    registerExternalAuthority: "add",
    withdrawExternalAuthority: "delete",
    enrollExternal: "add",
    renewExternal: "modify",
    registerExternalList: "delete",
  },
  validators: { change: "configure", ready: "send", recover: "send" },
  contracts: {
    install: "add",
    approve: "approve",
    start: "configure",
    stop: "configure",
    freeze: "configure",
    unfreeze: "configure",
    acceptFindings: "approve",
    setQuota: "configure",
  },
  parameters: { set: "configure" },
  oracles: { setFeed: "configure", removeFeed: "delete", publish: "send" },
  governance: {
    propose: "create",
    vote: "approve",
    cancel: "delete",
    setDelegates: "configure",
    setRules: "configure",
    setWeight: "configure",
    restrictMember: "configure",
    restrictContract: "configure",
    setMemberStatus: "modify",
    setContractFrozen: "configure",
  },
  credential: {
    submit: "create",
    submitAll: "create",
    propose: "create",
    sign: "approve",
    decline: "approve",
    withdraw: "delete",
    revoke: "delete",
    correct: "modify",
    publish: "add",
    use: "send",
    setArbitrators: "configure",
    registerSchema: "add",
    withdrawSchema: "delete",
  },
};

/** What a transaction is that calls this method; a contract that is none of ours is sent to. */
export function actionOf({
  contract,
  method,
}: {
  readonly contract: string;
  readonly method: string;
}): ReceiptAction {
  const actions = Object.hasOwn(transactionActions, contract) ? transactionActions[contract] : {};
  return (
    (actions !== undefined && Object.hasOwn(actions, method) ? actions[method] : null) ?? "send"
  );
}
