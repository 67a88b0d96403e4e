import type { MethodResult, Params } from "@credlink/api";
import {
  blockCodec,
  consensusHistoryCodec,
  genesisCodec,
  receiptCodec,
  type SealedBlock,
  type StateRecord,
  stateProofCodec,
  verifyStateProof,
} from "@credlink/ledger";
import { digest, encode, fromHex, type Height, height, toHex } from "@credlink/primitives";
import type { GatewayComponents } from "./context.ts";
import { showHeader } from "./encodings.ts";
import { CallError, refuseCall } from "./errors.ts";
import type { Caller } from "./sessions.ts";

type Components = Pick<GatewayComponents, "ledger" | "executor">;

function showValidators(components: Components, at: Height) {
  const set = components.ledger.validatorsAt(at);
  if (set === null) throw refuseCall("API_NOT_FOUND", `validators of height ${at} are not known`);
  return set.validators.map(({ nodeId, publicKey, peerId }) => ({
    nodeId,
    publicKey: toHex(publicKey),
    peerId,
  }));
}

/** `chain.info` */
export function chainInfo(components: Components): MethodResult<"chain.info"> {
  const { ledger } = components;
  const { header, digest: headDigest } = ledger.head;
  const next = height(header.height + 1);
  const parameters = ledger.parametersAfter(headDigest) ?? ledger.genesis.parameters;
  return {
    chainId: ledger.chainId,
    genesisDigest: toHex(ledger.genesisDigest),
    height: header.height,
    headDigest: toHex(headDigest),
    stateRoot: toHex(header.stateRoot),
    timestampMs: header.timestampMs,
    validators: showValidators(components, next).map((each, index) => ({ index, ...each })),
    parameters: { ...parameters },
  };
}

/** `chain.genesis` */
export function chainGenesis({ ledger }: Components): MethodResult<"chain.genesis"> {
  return { genesis: toHex(encode(genesisCodec, ledger.genesis)) };
}

/** `chain.validators` */
export function chainValidators(
  components: Components,
  params: Params<"chain.validators">,
): MethodResult<"chain.validators"> {
  return { validators: showValidators(components, height(params.height)) };
}

/** `block.header` */
export function blockHeader(
  { ledger }: Components,
  params: Params<"block.header">,
): MethodResult<"block.header"> {
  const at = height(params.height);
  const reference = ledger.header(at);
  if (reference === null) throw refuseCall("API_NOT_FOUND", `no block ${at}`);
  return showHeader(reference.header, reference.digest, ledger.certificate(at));
}

async function findBlock(
  { ledger }: Components,
  params: Params<"block.get">,
): Promise<SealedBlock | null> {
  return "height" in params
    ? ledger.block(height(params.height))
    : ledger.blockByDigest(digest(fromHex(params.digest)));
}

/** `block.get` */
export async function blockGet(
  components: Components,
  params: Params<"block.get">,
): Promise<MethodResult<"block.get">> {
  const sealed = await findBlock(components, params);
  if (sealed === null) throw refuseCall("API_NOT_FOUND");
  const { block } = sealed;
  const shown = {
    ...showHeader(block.header, sealed.digest, sealed.certificate),
    block: toHex(encode(blockCodec, block)),
  };
  if (params.transactions !== true) return shown;
  const receipts = (await components.ledger.receipts(block.header.height)) ?? [];
  return {
    ...shown,
    transactions: sealed.transactions.map(toHex),
    receipts: receipts.map((receipt) => toHex(encode(receiptCodec, receipt))),
  };
}

/** `consensus.history` */
export function consensusHistory(
  { ledger }: Components,
  params: Params<"consensus.history">,
): MethodResult<"consensus.history"> {
  const kept = ledger.history(height(params.height));
  if (kept === null) throw refuseCall("API_NOT_FOUND", `no history of height ${params.height}`);
  const { history, link, below } = kept;
  return {
    height: history.height,
    history: toHex(encode(consensusHistoryCodec, history)),
    link: toHex(link),
    below: toHex(below),
  };
}

/** How often values that a commit overtook are read again. */
const STATE_ATTEMPTS = 10;

interface StatePlace {
  readonly contract: string;
  readonly key: Uint8Array;
}

/**
 * Values of one head. While a commit's batch is written but not yet the head, a value may be newer
 * than the head's root: then all are read again rather than sent with a proof that does not hold.
 */
async function readState(
  { ledger }: Components,
  places: readonly StatePlace[],
): Promise<readonly StateRecord[]> {
  const read = () => places.map(({ contract, key }) => ledger.state(contract, key));
  let records = read();
  for (let attempt = 1; attempt < STATE_ATTEMPTS; attempt += 1) {
    const holds = records.every(({ value, proof, header }, at) => {
      const place = places[at];
      if (place === undefined) return false;
      return verifyStateProof({ root: header.stateRoot, ...place, value, proof }).ok;
    });
    if (holds) break;
    await new Promise((resolve) => setImmediate(resolve));
    records = read();
  }
  return records;
}

function showState({ value, proof }: StateRecord) {
  return {
    value: value === null ? null : toHex(value),
    proof: toHex(encode(stateProofCodec, proof)),
  };
}

/** `state.get` */
export async function stateGet(
  components: Components,
  { contract, key }: Params<"state.get">,
): Promise<MethodResult<"state.get">> {
  const [record] = await readState(components, [{ contract, key: fromHex(key) }]);
  if (record === undefined) throw refuseCall("API_INTERNAL", "a value was not read");
  const { header, digest: own, certificate } = record;
  return { ...showState(record), header: showHeader(header, own, certificate) };
}

/** `state.getMany` */
export async function stateGetMany(
  components: Components,
  { entries }: Params<"state.getMany">,
): Promise<MethodResult<"state.getMany">> {
  const places = entries.map(({ contract, key }) => ({ contract, key: fromHex(key) }));
  const records = await readState(components, places);
  const [first] = records;
  if (first === undefined) throw refuseCall("API_INTERNAL", "no value was read");
  const header = showHeader(first.header, first.digest, first.certificate);
  return { entries: records.map(showState), header };
}

/** `contract.query` */
export async function contractQuery(
  { ledger, executor }: Components,
  params: Params<"contract.query">,
  caller: Caller,
): Promise<MethodResult<"contract.query">> {
  const { head } = ledger;
  const view = ledger.stateAt(head.digest);
  if (view === null) throw new CallError("API_INTERNAL", "the head has no state");
  const { transactionGasLimit } = executor.parameters(view);
  const context = {
    chainId: ledger.chainId,
    genesisDigest: ledger.genesisDigest,
    height: head.header.height,
    timestampMs: head.header.timestampMs,
    ancestorDigest: () => null,
  };
  const receipt = await executor.query(view, context, {
    id: digest(new Uint8Array(32)),
    sender: caller.address,
    signers: [caller.address],
    contract: params.contract,
    contractVersion: params.version ?? "",
    method: params.method,
    args: fromHex(params.args),
    gasLimit: transactionGasLimit,
  });
  return {
    height: head.header.height,
    status: receipt.status,
    returnValue: toHex(receipt.returnValue),
    gasUsed: receipt.gasUsed,
  };
}
