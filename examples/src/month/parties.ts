import type { CredentialRecord, Payload } from "@credlink/contracts";
import {
  makeBankCard,
  makeCreditCode,
  makeIdentityNumber,
  makeMobileNumber,
} from "../identifiers.ts";
import { enterprises, institution, makeAddress, makePersonName } from "../names.ts";
import {
  at,
  DAY_MS,
  documentDigest,
  type Enterprise,
  index,
  item,
  type MonthContext,
  type Person,
  parent,
  type Worker,
} from "./context.ts";

/** Frameworks run this long; service contracts a month less. */
const FRAMEWORK_DAYS = 400;
const SERVICE_DAYS = 365;

function verification(atMs: number): Payload {
  return {
    "verification.method": "certificate-and-licence",
    "verification.at": BigInt(atMs),
    "verification.result": "passed",
    "verification.authority": institution.name,
  };
}

/** The institution that submits everything. */
export function addInstitution(context: MonthContext): CredentialRecord {
  const { builder, institutionAddress, institutionCreditCode: uscc } = context;
  return builder.submit({
    name: `机构身份 ${institution.name}`,
    type: "identity.institution",
    subjectAddresses: [institutionAddress],
    indexes: [index(context, "unified-social-credit-code", uscc)],
    payload: {
      name: institution.name,
      uscc,
      licences: [...institution.licences],
      supervisor: institution.supervisor,
      caSerial: context.random.digits(16),
    },
    validFromMs: context.startMs,
  });
}

/** One enterprise: identity and framework contract. */
export function addEnterprise(
  context: MonthContext,
  place: number,
  attester: CredentialRecord,
): Enterprise {
  const { builder, random } = context;
  const facts = item(enterprises, place);
  const creditCode = makeCreditCode(random);
  const identityKey = context.relationKey("enterprise");
  const frameworkKey = context.relationKey("enterprise");
  const verifiedAt = at(context, 0, 1);
  const identity = builder.submit({
    name: `企业身份 ${facts.name}`,
    type: "identity.enterprise",
    subjects: [identityKey],
    coSigners: [identityKey],
    parents: [parent(attester, "attestedBy")],
    indexes: [index(context, "unified-social-credit-code", creditCode)],
    payload: {
      name: facts.name,
      uscc: creditCode,
      legalRepresentative: makePersonName(random),
      registeredAddress: makeAddress(random),
      businessScope: facts.scope,
      status: "operating",
      basicAccount: random.digits(19),
      contactName: makePersonName(random),
      contactPhone: makeMobileNumber(random),
      serviceScenarios: [facts.scene],
      licenceImageDigest: documentDigest(random, "licence"),
      ...verification(verifiedAt),
    },
    validFromMs: verifiedAt,
  });
  const from = at(context, 0, 2);
  const to = from + FRAMEWORK_DAYS * DAY_MS;
  const framework = builder.submit({
    name: `框架合同 ${facts.name}`,
    type: "contract.framework",
    subjects: [frameworkKey],
    coSigners: [identityKey, frameworkKey],
    parents: [parent(identity, "party"), parent(attester, "party")],
    payload: {
      ...contractPayload(context, "framework", facts.scene, from, to),
      parties: [
        [frameworkKey.address, "enterprise", BigInt(from), documentDigest(random, "signature")],
        [context.institutionAddress, "institution", BigInt(from), documentDigest(random, "seal")],
      ],
      relationKeys: [[frameworkKey.address, facts.name]],
      feeRule: "按结算金额的 6% 收取服务费",
      dataTermsDigest: documentDigest(random, "data-terms"),
    },
    validFromMs: from,
    validToMs: to,
  });
  return { index: place, creditCode, identityKey, frameworkKey, identity, framework };
}

function contractPayload(
  context: MonthContext,
  kind: "framework" | "service",
  scene: string,
  from: number,
  to: number,
): Payload {
  const { random } = context;
  return {
    contractNumber: `ZY${kind === "framework" ? "KJ" : "FW"}${random.digits(12)}`,
    kind,
    title: kind === "framework" ? "灵活用工综合服务框架协议" : "自由职业者服务协议",
    bodyDigest: documentDigest(random, "body"),
    scene,
    settlementCycle: "按月",
    taxMode: "委托代征",
    effectiveFrom: BigInt(from),
    effectiveTo: BigInt(to),
    signatureProvider: "e签宝",
  };
}

/** A person's facts and keys; nothing is submitted yet. */
export function makePerson(context: MonthContext, place: number): Person {
  const { random } = context;
  return {
    index: place,
    name: makePersonName(random),
    identityNumber: makeIdentityNumber(random),
    mobile: makeMobileNumber(random),
    card: makeBankCard(random),
    identityKey: context.relationKey("individual"),
    serviceKey: context.relationKey("individual"),
  };
}

/** The identity of a person, as it is submitted. */
export function identityDraft(
  context: MonthContext,
  person: Person,
  attester: CredentialRecord,
  validToMs?: number,
) {
  const { random } = context;
  const verifiedAt = at(context, 0, 3, person.index % 60);
  return {
    name: `个人身份 第${person.index + 1}号`,
    type: "identity.individual" as const,
    subjects: [person.identityKey],
    coSigners: [person.identityKey],
    parents: [parent(attester, "attestedBy")],
    indexes: [
      index(context, "identity-number", person.identityNumber),
      index(context, "mobile-number", person.mobile),
    ],
    payload: {
      personReference: `P${String(person.index + 1).padStart(4, "0")}-${random.digits(6)}`,
      realName: person.name,
      idType: "identity-card",
      idNumber: person.identityNumber,
      mobile: person.mobile,
      bankCard: person.card.number,
      bankName: person.card.bank,
      "faceVerification.provider": "公安部第一研究所",
      "faceVerification.transactionReference": random.digits(18),
      "faceVerification.score": random.between(860, 999),
      "faceVerification.evidenceDigest": documentDigest(random, "face"),
      liveness: true,
      address: makeAddress(random),
      taxResident: true,
      "consent.version": "2026.1",
      "consent.purposes": ["实名认证", "费用结算", "税务代征"],
      "consent.at": BigInt(verifiedAt),
      "consent.receiptDigest": documentDigest(random, "consent"),
      ...verification(verifiedAt),
      "verification.method": "identity-card-and-face",
    },
    validFromMs: verifiedAt,
    ...(validToMs === undefined ? {} : { validToMs }),
  };
}

/** The service contract of a person under an enterprise's framework. */
export function serviceDraft(
  context: MonthContext,
  parties: {
    readonly person: Person;
    readonly identity: CredentialRecord;
    readonly enterprise: Enterprise;
    readonly attester: CredentialRecord;
  },
) {
  const { random } = context;
  const { person, identity, enterprise, attester } = parties;
  const from = at(context, 0, 5, person.index % 60);
  const to = from + SERVICE_DAYS * DAY_MS;
  return {
    name: `服务合同 第${person.index + 1}号`,
    type: "contract.service" as const,
    subjects: [person.serviceKey],
    coSigners: [person.identityKey, person.serviceKey],
    parents: [
      parent(identity, "party"),
      parent(attester, "party"),
      parent(enterprise.framework, "underContract"),
    ],
    payload: {
      ...contractPayload(context, "service", item(enterprises, enterprise.index).scene, from, to),
      parties: [
        [person.serviceKey.address, "individual", BigInt(from), documentDigest(random, "sign")],
        [context.institutionAddress, "institution", BigInt(from), documentDigest(random, "seal")],
      ],
      relationKeys: [[person.serviceKey.address, `第${person.index + 1}号`]],
      priceRule: "按件计价,以任务单为准",
    },
    validFromMs: from,
    validToMs: to,
  };
}

/** Identity and service contract of a person. */
export function addWorker(
  context: MonthContext,
  person: Person,
  enterprise: Enterprise,
  attester: CredentialRecord,
): Worker {
  const identity = context.builder.submit(identityDraft(context, person, attester));
  const service = context.builder.submit(
    serviceDraft(context, { person, identity, enterprise, attester }),
  );
  return { ...person, enterprise, identity, service };
}
