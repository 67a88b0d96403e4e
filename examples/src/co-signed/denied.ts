import {
  declineArgsCodec,
  grantActionCode,
  reasonDigest,
  recordDigest,
  signArgsCodec,
  submitArgsCodec,
  useArgsCodec,
} from "@credlink/contracts";
import { SUCCESS } from "@credlink/ledger";
import { encode } from "@credlink/primitives";
import type { BusinessMonth } from "../business-month.ts";
import { item } from "../month/context.ts";
import { acceptanceDraft, taskDraft } from "../month/work.ts";
import { generateRefusedCases } from "../refused-cases.ts";
import type { ExampleKey } from "../step.ts";
import type { Desks, Sent } from "./desks.ts";

/** What was tried and must be refused. */
export interface Denied extends Sent {
  readonly name: string;
  readonly expected: string;
}

/** Every refused case of the month, each by its sender at that sender's own node. */
export async function tryRefusedCases(
  desks: Desks,
  month: BusinessMonth,
  institution: ExampleKey,
): Promise<readonly Denied[]> {
  const cases = generateRefusedCases(month);
  return Promise.all(
    cases.map(async ({ name, sender, step, expectedCode }) => ({
      ...(await desks.send(sender ?? institution, step)),
      ...{ name, expected: expectedCode },
    })),
  );
}

/** What co-signing must refuse: others' signatures, other records, and haste. */
export async function tryCoSigning(
  desks: Desks,
  month: BusinessMonth,
  parties: { readonly institution: ExampleKey; readonly regulator: ExampleKey },
): Promise<readonly Denied[]> {
  const { context } = month;
  const { worker } = item(month.works, 0);
  const { institution, regulator } = parties;
  const { frameworkKey } = worker.enterprise;
  const other = item(month.enterprises, 1 - worker.enterprise.index).frameworkKey;
  const { record } = context.builder.make(taskDraft(context, worker, 0));
  const denied: Denied[] = [];
  const expect = async (name: string, expected: string, sending: Promise<Sent>): Promise<void> => {
    denied.push({ ...(await sending), name, expected });
  };
  const reason = reasonDigest({ salt: context.random.bytes(32), text: "数量不符" });
  const decline = encode(declineArgsCodec, { id: record.id, reason });
  const signature = (digest = recordDigest(record)): Uint8Array =>
    encode(signArgsCodec, { id: record.id, digest });

  const proposed = await desks.propose(institution, record);
  if (proposed.status !== SUCCESS) throw new Error(`a proposal was refused: ${proposed.status}`);
  const sign = (party: ExampleKey, args = signature()): Promise<Sent> =>
    desks.send(party, { method: "sign", args });
  await expect("另一企业签名", "CREDENTIAL_SIGNER_NOT_WANTED", sign(other));
  await expect("监管机构代签", "CREDENTIAL_SIGNER_NOT_WANTED", sign(regulator));
  const altered = signature(recordDigest({ ...record, level: 1 }));
  await expect("签署另一内容", "CREDENTIAL_PROPOSAL_DIGEST", sign(frameworkKey, altered));
  const hasty = context.builder.make(acceptanceDraft(context, worker, [record])).record;
  await expect(
    "验收未签齐的任务",
    "CREDENTIAL_PARENT_PROPOSED",
    desks.send(institution, {
      method: "submit",
      args: encode(submitArgsCodec, hasty),
      coSigners: [],
    }),
  );
  const byOther = desks.send(other, { method: "decline", args: decline });
  await expect("另一企业拒签", "CREDENTIAL_SIGNER_NOT_WANTED", byOther);
  await expect("企业签名", SUCCESS, sign(frameworkKey));
  await expect("重复签名", "CREDENTIAL_ALREADY_SIGNED", sign(frameworkKey));
  const byWorker = desks.send(worker.serviceKey, { method: "decline", args: decline });
  await expect("本人拒签", SUCCESS, byWorker);
  await expect("拒签之后签名", "CREDENTIAL_PROPOSAL_CLOSED", sign(worker.serviceKey));
  return denied;
}

/** Uses of the month's grant that it does not cover. */
export function tryUses(desks: Desks, month: BusinessMonth): Promise<readonly Denied[]> {
  const { grant, grantee } = month.disputes;
  const { payment, worker } = item(month.works, 1);
  const stranger = item(month.enterprises, 1 - worker.enterprise.index).identityKey;
  const use = { grant: grant.id, target: payment.id, purpose: "income-proof" };
  const read = grantActionCode("read");
  const cases = [
    ["他人使用授权", "CREDENTIAL_GRANT_FOREIGN", stranger, { ...use, action: read }],
    ["超出用途", "CREDENTIAL_GRANT_PURPOSE", grantee, { ...use, action: read, purpose: "ads" }],
    ["超出动作", "CREDENTIAL_GRANT_ACTION", grantee, { ...use, action: grantActionCode("export") }],
    [
      "超出范围",
      "CREDENTIAL_GRANT_TARGET",
      grantee,
      { ...use, action: read, target: item(month.works, 0).payment.id },
    ],
  ] as const;
  return Promise.all(
    cases.map(async ([name, expected, sender, args]) => ({
      ...(await desks.send(sender, { method: "use", args: encode(useArgsCodec, args) })),
      ...{ name, expected },
    })),
  );
}
