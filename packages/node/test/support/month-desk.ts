import {
  CREDENTIAL_CONTRACT,
  type CredentialFile,
  commitPayload,
  createSalts,
  credentialKey,
  payloadSchemas,
  registerSchemaArgsCodec,
  type SchemaField,
  schemaFields,
  schemaOfFields,
  submitArgsCodec,
} from "@credlink/contracts";
import { randomBytes } from "@credlink/crypto";
import { SUCCESS } from "@credlink/ledger";
import { encode, invariant } from "@credlink/primitives";
import type { CredentialDraft, CredentialStep, Work } from "../../../../examples/src/index.ts";
import { insuranceDraft } from "../../../../examples/src/month/index.ts";
import { memberKeyOf, type TestKey } from "../../../contracts/test/support/consortium.ts";
import type { CredentialGateway } from "./credential-gateway.ts";

function isOnChain({ ledger }: CredentialGateway["chain"], id: Uint8Array): boolean {
  const state = ledger.stateAt(ledger.head.digest);
  return state !== null && state.get(CREDENTIAL_CONTRACT, credentialKey(id)) !== null;
}

/** A worker of the month whose settlement, and all that it rests on, is on chain. */
export function settledWork({ chain, month }: CredentialGateway): Work {
  const found = month.works.find(({ settlement }) => isOnChain(chain, settlement.id));
  invariant(found !== undefined, "the month has a settlement on chain");
  return found;
}

/** A step of the month, of a type, that is on chain. */
export function stepOnChain({ chain, month }: CredentialGateway, type: string): CredentialStep {
  const found = month.steps.find((step) => step.type === type && isOnChain(chain, step.id));
  invariant(found !== undefined, `the month has a ${type} on chain`);
  return found;
}

/** Puts a credential on chain, changed before if asked, and returns its original. */
export async function issueOn(
  { chain, month }: CredentialGateway,
  draft: CredentialDraft,
  change: (file: CredentialFile) => CredentialFile = (file) => file,
): Promise<CredentialFile> {
  const { record, salts, openings } = month.context.builder.make(draft);
  const sender: TestKey = draft.sender ?? memberKeyOf("institution");
  const made = { record: { ...record, issuer: sender.address }, salts, openings };
  const file = change({ ...made, payload: draft.payload });
  const receipt = await chain.run({
    sender,
    method: "submit",
    args: encode(submitArgsCodec, file.record),
    coSigners: draft.coSigners ?? [],
  });
  invariant(receipt.status === SUCCESS, `refused: ${receipt.status}`);
  return file;
}

const remark: SchemaField = {
  path: "remark",
  kind: "text of 1 to 64 bytes",
  isRequired: false,
  level: 1,
};

/** Registers `bill.insurance/1.1`, which adds a field, and puts an insurance under it on chain. */
export async function issueUnderVersion(door: CredentialGateway) {
  const type = "bill.insurance";
  const id = `${type}/1.1`;
  const fields = [...schemaFields(payloadSchemas[type].fields), remark];
  const { status } = await door.chain.run({
    sender: memberKeyOf("regulator"),
    method: "registerSchema",
    args: encode(registerSchemaArgsCodec, { schema: id, fields }),
  });
  invariant(status === SUCCESS, `refused: ${status}`);
  const schema = schemaOfFields(id, type, fields);
  const draft = insuranceDraft(door.month.context, settledWork(door).worker);
  const file = await issueOn(door, draft, (made) => {
    const payload = { ...made.payload, remark: "复核" };
    const salts = createSalts(payload, randomBytes);
    const { level } = schema;
    const commitment = commitPayload(schema, payload, salts);
    return { ...made, payload, salts, record: { ...made.record, schema: id, level, commitment } };
  });
  return { file, fields };
}
