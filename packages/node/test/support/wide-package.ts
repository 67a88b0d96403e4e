/** Evidence packages as large as they may be, over a chain that holds as many credentials. */
import { commitCertificateCodec } from "@credlink/consensus-pbft/certificates";
import {
  CREDENTIAL_CONTRACT,
  CREDENTIAL_CONTRACT_VERSION,
  type CredentialRecord,
  credentialKey,
  credentialRecordCodec,
  discloseField,
  fieldDisclosureCodec,
  payloadSchemas,
  SUBMITTED_TOPIC,
  storedCredentialCodec,
  submittedEventCodec,
} from "@credlink/contracts";
import { createExecutor } from "@credlink/contracts-vm";
import { sm3 } from "@credlink/crypto";
import {
  type Executor,
  genesisCodec,
  headerCodec,
  MEMBERS_CONTRACT,
  memberKey,
  merkleProofCodec,
  receiptCodec,
  SUCCESS,
  stateProofCodec,
} from "@credlink/ledger";
import { concatBytes, decode, encode, invariant, list, toHex, utf8 } from "@credlink/primitives";
import { generateBusinessMonth } from "../../../../examples/src/index.ts";
import { TestChain } from "../../../contracts/test/support/chain.ts";
import {
  createGenesis,
  DAY_MS,
  GENESIS_MS,
  keySource,
  memberKeyOf,
} from "../../../contracts/test/support/consortium.ts";
import { certifier } from "./credential-gateway.ts";

/** Parents of one credential of the tree. */
const BRANCHES = 16;
/** Records of one transaction: each is named by an event, and a receipt has 64 at most. */
const TRANSACTION_RECORDS = 64;
const argsCodec = list(credentialRecordCodec, TRANSACTION_RECORDS);

/** The real executor, but for the credential contract: a transaction's records are written as they come. */
function recordsExecutor(): Executor {
  const real = createExecutor();
  return {
    genesis: (genesis) => real.genesis(genesis),
    query: (...args) => real.query(...args),
    judgeCall: (...args) => real.judgeCall(...args),
    validators: (state) => real.validators(state),
    skipped: (...args) => real.skipped(...args),
    parameters: (state) => real.parameters(state),
    async execute(parent, context, transactions) {
      const { writes } = await real.execute(parent, context, []);
      const all = transactions.map(({ args }) => decode(argsCodec, args));
      const { height, timestampMs } = context;
      return {
        gasUsed: transactions.length,
        receipts: transactions.map(({ id: transactionId }, at) => ({
          ...{ transactionId, status: SUCCESS, gasUsed: 1, returnValue: new Uint8Array(0) },
          contractVersion: CREDENTIAL_CONTRACT_VERSION,
          events: (all[at] ?? []).map((record) => ({
            ...{ contract: CREDENTIAL_CONTRACT, topic: SUBMITTED_TOPIC },
            data: encode(submittedEventCodec, { ...record, replaces: null }),
          })),
        })),
        writes: [
          ...writes,
          ...all.flat().map((record) => ({
            contract: CREDENTIAL_CONTRACT,
            key: credentialKey(record.id),
            value: encode(storedCredentialCodec, {
              standing: {
                ...{ status: "active", height, by: record.issuer, reason: null, replacedBy: null },
              },
              issue: {
                ...{ contractVersion: CREDENTIAL_CONTRACT_VERSION, height, timestampMs },
                ...{ coSigners: [], contract: null, replaces: null },
              },
              record,
            }),
          })),
        ],
      };
    },
  };
}

/** A credential of the month with many fields: the tree's all open to the same payload. */
function pattern() {
  const month = generateBusinessMonth({
    seed: "wide",
    startMs: GENESIS_MS - 32 * DAY_MS,
    institutionAddress: memberKeyOf("institution").address,
    createKey: keySource("wide"),
    workers: 6,
  });
  const fields = (step: (typeof month.steps)[number]): number => Object.keys(step.payload).length;
  const [step] = month.steps.toSorted((a, b) => fields(b) - fields(a));
  invariant(step !== undefined && step.record !== null, "the month has credentials");
  const { record, payload, salts } = step;
  const schema = payloadSchemas[record.type];
  const opened = Object.keys(payload).map((path) =>
    toHex(encode(fieldDisclosureCodec, discloseField(schema, payload, salts, path))),
  );
  return { record, opened };
}

function idOf(number: number): Uint8Array {
  return sm3(utf8(`wide/${number}`));
}

/** A chain whose only credentials are a tree, and one more that rests on the tree's root. */
export interface WideChain {
  readonly genesis: Uint8Array;
  /** Lines of a package of the tree (`isMore`: of the one above it) with so many opened fields. */
  readonly lines: (fields: number, isMore?: boolean) => readonly string[];
}

/** @param credentials of the tree */
export async function openWideChain(credentials: number): Promise<WideChain> {
  const genesis = await createGenesis();
  const issuer = memberKeyOf("institution");
  const chain = await TestChain.open(
    genesis,
    recordsExecutor(),
    certifier(genesis, [memberKeyOf("node")]),
  );
  const { record: base, opened } = pattern();
  const made = (number: number, parents: readonly number[]): CredentialRecord => ({
    ...base,
    ...{ id: idOf(number), issuer: issuer.address },
    parents: parents.map((parent) => ({ id: idOf(parent), relation: "evidence" })),
  });
  // Breadth first, the parents of the tree's n-th are those from `BRANCHES` · n + 1 on.
  const tree = Array.from({ length: credentials }, (_, number) => {
    const first = BRANCHES * number + 1;
    const count = Math.max(0, Math.min(BRANCHES, credentials - first));
    return made(
      number,
      Array.from({ length: count }, (_, at) => first + at),
    );
  });
  const parts: CredentialRecord[][] = [];
  for (let at = 0; at < tree.length; at += TRANSACTION_RECORDS) {
    parts.push(tree.slice(at, at + TRANSACTION_RECORDS));
  }
  const above = made(credentials, [0]);
  const receipts = await chain.block(
    [...parts, [above]].map((records) => {
      return { sender: issuer, method: "submit", args: encode(argsCodec, records) };
    }),
  );
  const { ledger } = chain;
  const state = (contract: string, key: Uint8Array) => {
    const { value, proof } = ledger.state(contract, key);
    invariant(value !== null, "the state holds it");
    return { value: toHex(value), proof: toHex(encode(stateProofCodec, proof)) };
  };
  const credentialLines = [...tree, above].map(({ id }) =>
    JSON.stringify({
      ...{ kind: "credential", id: toHex(id) },
      ...state(CREDENTIAL_CONTRACT, credentialKey(id)),
    }),
  );
  const transactionLines = await Promise.all(
    receipts.map(async ({ transactionId: id }) => {
      const found = await ledger.transaction(id);
      const proofs = await Promise.all([ledger.transactionProof(id), ledger.receiptProof(id)]);
      const [transactionProof, receiptProof] = proofs.map((proof) => {
        invariant(proof !== null, "a committed transaction has its proofs");
        return toHex(encode(merkleProofCodec, proof));
      });
      invariant(found !== null, "the transaction is committed");
      const { height, index } = found;
      const transaction = toHex(found.transaction);
      const receipt = toHex(encode(receiptCodec, found.receipt));
      const line = { height, index, transaction, receipt, transactionProof, receiptProof };
      return JSON.stringify({ kind: "transaction", ...line });
    }),
  );
  const { header, certificate } = ledger.state(MEMBERS_CONTRACT, memberKey(issuer.address));
  invariant(certificate !== null, "the head is certified");
  const headerLine = JSON.stringify({
    ...{ kind: "header", height: header.height, header: toHex(encode(headerCodec, header)) },
    certificate: toHex(encode(commitCertificateCodec, certificate)),
  });
  const memberLine = JSON.stringify({
    ...{ kind: "member", address: toHex(issuer.address) },
    ...state(MEMBERS_CONTRACT, memberKey(issuer.address)),
  });
  return {
    genesis: encode(genesisCodec, genesis),
    lines(fields, isMore = false) {
      const body = [
        JSON.stringify({
          ...{ kind: "package", format: "credlink/evidence-package/1", purpose: "evidence" },
          ...{ chainId: genesis.chainId, genesisDigest: toHex(ledger.genesisDigest) },
          credential: toHex(idOf(isMore ? credentials : 0)),
        }),
        headerLine,
        ...(isMore ? credentialLines.slice(-1) : []),
        ...credentialLines.slice(0, -1),
        memberLine,
        ...transactionLines.slice(0, isMore ? undefined : -1),
        ...Array.from({ length: fields }, (_, at) =>
          JSON.stringify({
            kind: "disclosure",
            credential: toHex(idOf(Math.floor(at / opened.length))),
            field: opened[at % opened.length],
          }),
        ),
      ];
      return seal(body);
    },
  };
}

/** The lines with their last one. */
export function seal(body: readonly string[]): readonly string[] {
  let sum: Uint8Array = new Uint8Array(32);
  for (const line of body) sum = sm3(concatBytes(sum, utf8(`${line}\n`)));
  return [...body, JSON.stringify({ kind: "end", lines: body.length, digest: toHex(sum) })];
}
