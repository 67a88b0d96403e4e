import type { CommitCertificate } from "@credlink/consensus-pbft";
import {
  type Address,
  type Digest,
  decode,
  equalBytes,
  type Height,
  height,
} from "@credlink/primitives";
import type { SealedBlock } from "./block.ts";
import type { LinkedHistory } from "./consensus-history.ts";
import { headerDigest, statePath } from "./digests.ts";
import { readMember } from "./envelope.ts";
import { decodeU64, encodeU64 } from "./fixed-u64.ts";
import type { HistoryLog } from "./history-log.ts";
import type { BlockReference, LedgerReader, StateRecord } from "./ledger.ts";
import type { Member } from "./member.ts";
import { createMerkleProof } from "./merkle.ts";
import { type Receipt, receiptCodec } from "./receipt.ts";
import {
  type BlockRow,
  corruptRow,
  decodeBlockRow,
  decodePlace,
  indexKeys,
  RECEIPT_KEY_BYTES,
  receiptKey,
} from "./rows.ts";
import { SizedCache } from "./sized-cache.ts";
import { createStateProof } from "./state-tree.ts";
import type { KeyValueStore } from "./store.ts";
import type { Tip } from "./tip.ts";
import type { TransactionPlace } from "./transaction.ts";

interface CachedBlock extends BlockRow {
  readonly digest: Digest;
}

const BLOCK_CACHE_BYTES = 16 * 1024 * 1024;

/** Reads committed blocks. Every read checks what it can: checksums, digests, lengths. */
export class ChainReader implements LedgerReader {
  readonly #store: KeyValueStore;
  readonly #head: () => Tip;
  readonly #log: HistoryLog;
  readonly #blocks = new SizedCache<CachedBlock>(BLOCK_CACHE_BYTES);

  constructor(store: KeyValueStore, head: () => Tip, log: HistoryLog) {
    this.#store = store;
    this.#head = head;
    this.#log = log;
  }

  /** The row of a committed height. @throws LedgerError LEDGER_STORE_CORRUPT */
  row(at: Height): CachedBlock | null {
    if (at > this.#head().header.height) return null;
    const known = this.#blocks.get(`${at}`);
    if (known !== undefined) return known;
    const key = encodeU64(at);
    const bytes = this.#store.get("blocks", key);
    if (bytes === null) throw corruptRow(`block ${at} is missing`);
    const row = decodeBlockRow(key, bytes);
    if (row.block.header.height !== at) throw corruptRow(`block ${at} is another one`);
    const cached = { ...row, digest: headerDigest(row.block.header) };
    this.#blocks.set(`${at}`, cached, 2 * bytes.length);
    return cached;
  }

  /** Takes over the row of a block that was just written. */
  protected remember(row: CachedBlock, sizeBytes: number): void {
    this.#blocks.set(`${row.block.header.height}`, row, 2 * sizeBytes);
  }

  header(at: Height): BlockReference | null {
    const row = this.row(at);
    return row && { digest: row.digest, header: row.block.header };
  }

  certificate(at: Height): CommitCertificate | null {
    return this.row(at)?.certificate ?? null;
  }

  history(at: Height): LinkedHistory | null {
    return at > this.#head().header.height ? null : this.#log.read(at);
  }

  async block(at: Height): Promise<SealedBlock | null> {
    const row = this.row(at);
    if (row === null) return null;
    const { block, digest, certificate } = row;
    const bodies = await this.#store.getMany("bodies", block.body.transactionIds);
    const transactions = bodies.map((body) => {
      if (body === null) throw corruptRow(`a transaction of block ${at} is missing`);
      return body;
    });
    return { block, digest, certificate, transactions };
  }

  heightOf(digest: Digest): Height | null {
    const row = this.#store.get("index", indexKeys.digest(digest));
    return row === null ? null : height(decodeU64(row));
  }

  async blockByDigest(digest: Digest): Promise<SealedBlock | null> {
    const at = this.heightOf(digest);
    return at === null ? null : this.block(at);
  }

  place(id: Digest): TransactionPlace | null {
    const row = this.#store.get("receipts", id);
    const place = row === null ? null : decodePlace(row);
    // A batch can be read before its commit has resolved: until then the block is not committed.
    return place === null || place.height > this.#head().header.height ? null : place;
  }

  body(id: Digest): Uint8Array | null {
    return this.#store.get("bodies", id);
  }

  receipt(id: Digest): Receipt | null {
    const place = this.place(id);
    if (place === null) return null;
    const row = this.#store.get("receipts", receiptKey(place));
    if (row === null) throw corruptRow(`a receipt of block ${place.height} is missing`);
    return decodeReceipt(row);
  }

  async receipts(at: Height): Promise<readonly Receipt[] | null> {
    if (at > this.#head().header.height) return null;
    return (await this.#encodedReceipts(at)).map(decodeReceipt);
  }

  async #encodedReceipts(at: Height): Promise<readonly Uint8Array[]> {
    const row = this.row(at);
    if (row === null) throw corruptRow(`block ${at} is missing`);
    const from = receiptKey({ height: at, index: 0 });
    const to = receiptKey({ height: height(at + 1), index: 0 });
    const rows = await this.#store.range("receipts", { from, to });
    const receipts = rows.filter(([key]) => key.length === RECEIPT_KEY_BYTES);
    if (receipts.length !== row.block.header.transactionCount) {
      throw corruptRow(`receipts of block ${at} are missing`);
    }
    return receipts.map(([, value]) => value);
  }

  async transaction(id: Digest) {
    const place = this.place(id);
    const row = place && this.row(place.height);
    if (place === null || row === null) return null;
    const [transaction, receipt] = [this.body(id), this.receipt(id)];
    const named = row.block.body.transactionIds[place.index];
    if (transaction === null || receipt === null || named === undefined || !equalBytes(named, id)) {
      throw corruptRow(`a transaction of block ${place.height} is missing`);
    }
    const { digest, certificate } = row;
    const { header } = row.block;
    return { ...place, id, transaction, receipt, header, digest, certificate };
  }

  async transactionProof(id: Digest) {
    const place = this.place(id);
    const row = place && this.row(place.height);
    if (place === null || row === null) return null;
    return createMerkleProof(row.block.body.transactionIds, place.index);
  }

  async receiptProof(id: Digest) {
    const place = this.place(id);
    if (place === null) return null;
    return createMerkleProof(await this.#encodedReceipts(place.height), place.index);
  }

  member(address: Address): Member | null {
    return readMember(this.#head().view, address);
  }

  state(contract: string, key: Uint8Array): StateRecord {
    const { header, digest, view, pages } = this.#head();
    const proof = createStateProof(pages, header.height, statePath(contract, key));
    const certificate = this.certificate(header.height);
    if (certificate === null) throw corruptRow("the head's block is missing");
    return { value: view.get(contract, key), proof, header, digest, certificate };
  }
}

function decodeReceipt(row: Uint8Array): Receipt {
  try {
    return decode(receiptCodec, row);
  } catch (error) {
    throw corruptRow("a receipt does not decode", error);
  }
}
