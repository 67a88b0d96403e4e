import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadNetwork, networkPaths } from "@credlink/cli";
import { certificateClaims } from "@credlink/consensus-pbft/certificates";
import {
  CREDENTIAL_CONTRACT,
  CREDENTIAL_CONTRACT_VERSION,
  type CredentialFile,
  type CredentialRecord,
  type CredentialType,
  credentialKey,
  SUBMITTED_TOPIC,
  storedCredentialCodec,
  submitArgsCodec,
  submittedEventCodec,
} from "@credlink/contracts";
import { createExecutor } from "@credlink/contracts-vm";
import { createSm2Signer, loadKeyFile, randomBytes } from "@credlink/crypto";
import {
  createLedger,
  decodeSignedTransaction,
  type Executor,
  genesisCodec,
  type KeyValueStore,
  type Ledger,
  SUCCESS,
  signedTransactionCodec,
  transactionCodec,
} from "@credlink/ledger";
import { openLevelStore } from "@credlink/node";
import {
  type Address,
  concatBytes,
  decode,
  encode,
  equalBytes,
  height,
  type Signer,
  toHex,
  utf8,
  validatorIndex,
  view,
} from "@credlink/primitives";
import type { Stock } from "./query-measure.ts";
import { makeStock, SERVICE_RECORDS, storedAs } from "./query-records.ts";
import type { Sender } from "./setup.ts";

/** Credentials of one block. */
const BLOCK_RECORDS = 2_000;
const CACHE_BYTES = 256 * 1024 * 1024;

/**
 * The real executor, but for the credential contract: its records are written as they come. So a
 * block's state, tree, receipts and events are those of a chain that took them, without the cost
 * of a million contract calls.
 */
function stockExecutor(): Executor {
  const real = createExecutor();
  return {
    ...{ judgeCall: real.judgeCall, query: real.query, skipped: real.skipped },
    genesis: (genesis) => real.genesis(genesis),
    validators: (state) => real.validators(state),
    parameters: (state) => real.parameters(state),
    async execute(parent, context, transactions) {
      const { writes } = await real.execute(parent, context, []);
      const records = transactions.map(({ args }) => decode(submitArgsCodec, args));
      return {
        gasUsed: transactions.length,
        receipts: records.map((record, at) => ({
          transactionId: transactions[at]?.id ?? never(),
          status: SUCCESS,
          gasUsed: 1,
          contractVersion: CREDENTIAL_CONTRACT_VERSION,
          returnValue: new Uint8Array(0),
          events: [
            {
              contract: CREDENTIAL_CONTRACT,
              topic: SUBMITTED_TOPIC,
              data: encode(submittedEventCodec, { ...record, replaces: null }),
            },
          ],
        })),
        writes: [
          ...writes,
          ...records.map((record) => ({
            contract: CREDENTIAL_CONTRACT,
            key: credentialKey(record.id),
            value: encode(
              storedCredentialCodec,
              storedAs(record, context.height, context.timestampMs),
            ),
          })),
        ],
      };
    },
  };
}

function never(): never {
  throw new Error("one receipt a transaction");
}

/** A transaction that carries a record; nobody looks at its signature where it is stored. */
function carry(record: CredentialRecord, chainId: string, at: number, sender: Address) {
  const transaction = encode(transactionCodec, {
    version: 1,
    chainId,
    sender,
    nonce: randomBytes(16),
    expiryHeight: height(at + 100),
    contract: CREDENTIAL_CONTRACT,
    contractVersion: CREDENTIAL_CONTRACT_VERSION,
    method: "submit",
    args: encode(submitArgsCodec, record),
    gasLimit: 1_000_000,
  });
  const signatures = [{ address: sender, signature: randomBytes(64) }];
  const bytes = encode(signedTransactionCodec, { transaction, signatures });
  const decoded = decodeSignedTransaction(bytes);
  if (!decoded.ok) throw new Error(`a transaction of the stock: ${decoded.code}`);
  return decoded.value;
}

/** Transactions of all blocks: each carries one record. */
function recordsOf(ledger: Ledger): number {
  let count = 0;
  for (let at = 1; at <= ledger.head.header.height; at += 1) {
    count += ledger.header(height(at))?.header.transactionCount ?? 0;
  }
  return count;
}

/** Service contracts and tax bills: ids are random, so the first by key are a fair sample. */
async function findRoots(store: KeyValueStore, samples: number) {
  const name = utf8(CREDENTIAL_CONTRACT);
  const records = concatBytes(Uint8Array.of(name.length), name, utf8("r"));
  const rows = await store.range("state", { from: records, limit: samples * SERVICE_RECORDS * 2 });
  const found = rows
    .filter(([key]) => equalBytes(key.subarray(0, records.length), records))
    .map(([, value]) => decode(storedCredentialCodec, value).record);
  const idsOf = (type: CredentialType) =>
    found.filter((record) => record.type === type).map(({ id }) => id);
  return {
    services: idsOf("contract.service").slice(0, samples),
    bills: idsOf("bill.tax").slice(0, samples),
  };
}

async function commitBlock(
  ledger: Ledger,
  signer: Signer,
  records: readonly CredentialRecord[],
): Promise<void> {
  const { digest: parentDigest, header } = ledger.head;
  const at = height(header.height + 1);
  const validators = ledger.validatorsAt(at);
  if (validators === null) throw new Error("the next validators are known");
  const proposer = validatorIndex(0);
  const place = { parentDigest, height: at, timestampMs: header.timestampMs + 1, proposer };
  const transactions = records.map((record) => carry(record, ledger.chainId, at, record.issuer));
  const history = ledger.historyFor(parentDigest, at) ?? new Uint8Array(0);
  const candidate = await ledger.execute({ ...place, transactions, history });
  const { sealed } = ledger.buildBlock(candidate);
  const signature = { index: proposer, signature: new Uint8Array(64) };
  const draft = { height: at, view: view(0), digest: sealed.digest, signatures: [signature] };
  const { chainId, genesisDigest } = ledger;
  const context = { chainId, genesisDigest, validatorsHash: validators.hash };
  const [claim] = certificateClaims("commit", draft, context);
  if (claim === undefined) throw new Error("one validator signs");
  const signed = { index: proposer, signature: await signer.sign(claim.message) };
  await ledger.commit(candidate, sealed.block, {
    certificate: { ...draft, signatures: [signed] },
  });
}

/**
 * Fills the stopped, only validator's database, or goes on filling it: blocks of records through
 * the ledger's own execution and commit, each certified by the validator's key.
 */
export async function loadStock(
  dir: string,
  sender: Sender,
  options: { readonly records: number; readonly samples: number },
  say: (text: string) => void,
): Promise<Stock & { readonly records: number }> {
  const paths = networkPaths(dir);
  const [node] = loadNetwork(dir).nodes;
  if (node === undefined) throw new Error("the network has a node");
  const folder = paths.node(node.name);
  const password = readFileSync(join(folder, "node.password"), "utf8").trim();
  const signer = createSm2Signer(await loadKeyFile(join(folder, "node.key"), { password }));
  const path = join(paths.data(node.name), "db");
  const store = await openLevelStore(path, { create: true, cacheBytes: CACHE_BYTES });
  const genesis = decode(genesisCodec, new Uint8Array(readFileSync(paths.genesis)));
  const ledger = await createLedger({ store, executor: stockExecutor(), genesis });
  const held = recordsOf(ledger);
  if (held > 0) say(`${held} records are there already`);
  // Originals are needed to verify: some are always added.
  const fresh = Math.max(options.samples, options.records - held);
  const every = Math.max(1, Math.floor(fresh / options.samples));
  const files: CredentialFile[] = [];
  let block: CredentialRecord[] = [];
  let made = 0;
  const stock = makeStock(sender, fresh, Date.now(), (number) => number % every === 0);
  for (const { record, file } of stock) {
    block.push(record);
    made += 1;
    if (file !== null) files.push(file);
    if (made === fresh) break;
    if (block.length < BLOCK_RECORDS) continue;
    await commitBlock(ledger, signer, block);
    block = [];
    if (made % (25 * BLOCK_RECORDS) === 0) {
      say(`${held + made} records, block ${ledger.head.header.height}`);
    }
  }
  if (block.length > 0) await commitBlock(ledger, signer, block);
  const { header, digest } = ledger.head;
  const records = held + made;
  const { services, bills } = await findRoots(store, options.samples);
  say(`${records} records in ${header.height} blocks, head ${toHex(digest).slice(0, 16)}`);
  await ledger.close();
  await store.close();
  return { records, files, services, bills, height: header.height };
}
