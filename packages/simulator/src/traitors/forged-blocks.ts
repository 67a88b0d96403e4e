import type { PrePrepare } from "@credlink/consensus-pbft";
import {
  type Block,
  blockCodec,
  decodeSignedTransaction,
  evidenceRoot,
  type Header,
  headerDigest,
  historyRoot,
  signedTransactionCodec,
  transactionCodec,
  transactionRoot,
} from "@credlink/ledger";
import { type Digest, decode, digest, encode, height, validatorIndex } from "@credlink/primitives";
import type { SeededRandom } from "@credlink/testkit";

/** A proposal whose facts are those of `block`, whatever is wrong with it. */
export function proposalOf(message: PrePrepare, block: Block): PrePrepare {
  const { header } = block;
  const { proposal } = message;
  const payload = encode(blockCodec, block);
  const of = headerDigest(header);
  return {
    ...message,
    digest: of,
    proposal: {
      digest: of,
      parentDigest: header.parentHash,
      height: header.height,
      proposer: header.proposer,
      timestampMs: header.timestampMs,
      validatorsHash: header.validatorsHash,
      nextValidatorsHash: header.nextValidatorsHash,
      transactionCount: header.transactionCount,
      sizeBytes: Math.max(0, proposal.sizeBytes + payload.length - proposal.payload.length),
      payload,
    },
  };
}

export function blockOf(message: PrePrepare): Block {
  return decode(blockCodec, message.proposal.payload);
}

/** The same block a millisecond later: valid wherever the first is, under another digest. */
export function twinOf(message: PrePrepare): PrePrepare {
  const block = blockOf(message);
  const timestampMs = block.header.timestampMs + 1;
  return proposalOf(message, { ...block, header: { ...block.header, timestampMs } });
}

/** A change of every header field, each of which makes a block invalid. */
const headerChanges: readonly ((header: Header, random: SeededRandom) => Partial<Header>)[] = [
  (header) => ({ version: header.version + 1 }),
  () => ({ chainId: "another chain" }),
  (header) => ({ height: height(header.height + 1) }),
  (_, random) => ({ parentHash: anyDigest(random) }),
  (header) => ({ timestampMs: header.timestampMs - 600_000 }),
  (header) => ({ timestampMs: header.timestampMs + 3_600_000 }),
  (header) => ({ timestampMs: header.timestampMs + 1_200 }),
  (header) => ({ proposer: validatorIndex(header.proposer + 1) }),
  (_, random) => ({ transactionRoot: anyDigest(random) }),
  (header) => ({ transactionCount: header.transactionCount + 1 }),
  (header) => ({ gasUsed: header.gasUsed + 1 }),
  (_, random) => ({ stateRoot: anyDigest(random) }),
  (_, random) => ({ receiptRoot: anyDigest(random) }),
  (_, random) => ({ validatorsHash: anyDigest(random) }),
  (_, random) => ({ nextValidatorsHash: anyDigest(random) }),
  (_, random) => ({ historyRoot: anyDigest(random) }),
  (_, random) => ({ evidenceRoot: anyDigest(random) }),
];

function anyDigest(random: SeededRandom): Digest {
  return digest(random.bytes(32));
}

/** One header field is false; all that is signed fits the false block. */
export function withFalseHeader(message: PrePrepare, random: SeededRandom): PrePrepare {
  const block = blockOf(message);
  const change = random.pick(headerChanges)(block.header, random);
  return proposalOf(message, { ...block, header: { ...block.header, ...change } });
}

/** Ways to break a transaction's envelope. */
const transactionChanges: readonly ((bytes: Uint8Array, random: SeededRandom) => Uint8Array)[] = [
  (bytes) => changeFields(bytes, { chainId: "another chain" }),
  (bytes) => changeFields(bytes, { expiryHeight: height(0) }),
  (bytes) => changeFields(bytes, { expiryHeight: height(1_000_000) }),
  (bytes) => changeFields(bytes, { gasLimit: 0 }),
  (bytes, random) => changeFields(bytes, { args: random.bytes(8) }),
  (bytes, random) => {
    const signed = decode(signedTransactionCodec, bytes);
    const signatures = signed.signatures.map((one) => ({ ...one, signature: random.bytes(64) }));
    return encode(signedTransactionCodec, { ...signed, signatures });
  },
  (bytes) => {
    const signed = decode(signedTransactionCodec, bytes);
    const signatures = [...signed.signatures, ...signed.signatures];
    return encode(signedTransactionCodec, { ...signed, signatures });
  },
];

function changeFields(bytes: Uint8Array, change: Record<string, unknown>): Uint8Array {
  const signed = decode(signedTransactionCodec, bytes);
  const transaction = { ...decode(transactionCodec, signed.transaction), ...change };
  return encode(signedTransactionCodec, {
    ...signed,
    transaction: encode(transactionCodec, transaction),
  });
}

function withBody(message: PrePrepare, change: Partial<Block["body"]>): PrePrepare {
  const block = blockOf(message);
  const body = { ...block.body, ...change };
  const header: Header = {
    ...block.header,
    transactionRoot: transactionRoot(body.transactionIds),
    transactionCount: body.transactionIds.length,
    historyRoot: historyRoot(body.history),
    evidenceRoot: evidenceRoot(body.evidence),
  };
  return proposalOf(message, { header, body });
}

/** One transaction of the body breaks a rule of envelopes. */
function withFalseTransaction(message: PrePrepare, random: SeededRandom): PrePrepare {
  const [first, ...others] = message.transactions;
  if (first === undefined) return withBody(message, { evidence: [random.bytes(40)] });
  const broken = random.pick(transactionChanges)(first, random);
  const decoded = decodeSignedTransaction(broken);
  const id = decoded.ok ? decoded.value.id : anyDigest(random);
  const [, ...ids] = blockOf(message).body.transactionIds;
  return {
    ...withBody(message, { transactionIds: [id, ...ids] }),
    transactions: [broken, ...others],
  };
}

/** A body that no honest proposer makes, under a header that names it truly. */
export function withFalseBody(message: PrePrepare, random: SeededRandom): PrePrepare {
  const { transactionIds } = blockOf(message).body;
  switch (random.integer(7)) {
    case 0:
      return withBody(message, { transactionIds: [...transactionIds, ...transactionIds] });
    case 1:
      return withBody(message, { transactionIds: transactionIds.slice(1) });
    case 2:
      return withBody(message, { transactionIds: [...transactionIds].reverse() });
    case 3:
      return withBody(message, { history: random.bytes(60) });
    case 4:
      return withBody(message, { evidence: [random.bytes(100)] });
    case 5: {
      const many = Array.from({ length: 2_001 }, () => anyDigest(random));
      return withBody(message, { transactionIds: many });
    }
    default:
      return withFalseTransaction(message, random);
  }
}
