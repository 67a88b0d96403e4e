import { taggedSm3 } from "@credlink/crypto";
import { type Genesis, genesisCodec, receiptCodec } from "@credlink/ledger";
import {
  address,
  bytes,
  bytesUpTo,
  type Codec,
  compareBytes,
  concatBytes,
  decode,
  digest,
  encode,
  list,
  nullable,
  struct,
  text,
  toHex,
  u53,
} from "@credlink/primitives";
import { TestChain } from "./chain.ts";

/** Transactions of one block, as plain data. */
export interface ScenarioTransaction {
  readonly id: Uint8Array;
  readonly signers: readonly Uint8Array[];
  readonly contract: string;
  readonly version: string;
  readonly method: string;
  readonly args: Uint8Array;
  readonly gasLimit: number;
}

export interface Scenario {
  readonly genesis: Genesis;
  readonly blocks: readonly (readonly ScenarioTransaction[])[];
}

const transactionCodec: Codec<ScenarioTransaction> = struct({
  id: bytes(32),
  signers: list(bytes(32), 16),
  contract: text(64),
  version: text(32),
  method: text(64),
  args: bytesUpTo(256 * 1024),
  gasLimit: u53,
});
const scenarioCodec: Codec<Scenario> = struct({
  genesis: genesisCodec,
  blocks: list(list(transactionCodec, 1_000), 100),
});
const writesCodec = list(
  struct({ contract: text(64), key: bytesUpTo(128), value: nullable(bytesUpTo(1 << 20)) }),
  100_000,
);

export const encodeScenario = (scenario: Scenario): Uint8Array => encode(scenarioCodec, scenario);
export const decodeScenario = (input: Uint8Array): Scenario => decode(scenarioCodec, input);

/** Runs every block and digests all receipts, gas figures and writes, in hexadecimal. */
export async function digestOfRun({ genesis, blocks }: Scenario): Promise<string> {
  const chain = new TestChain(genesis);
  const parts: Uint8Array[] = [];
  for (const block of blocks) {
    const result = await chain.block(
      ...block.map((transaction) => {
        const [sender, ...others] = transaction.signers.map((bytes) => address(bytes));
        if (sender === undefined) throw new Error("no sender");
        return {
          ...transaction,
          id: digest(transaction.id),
          sender,
          signers: [sender, ...others],
          contractVersion: transaction.version,
        };
      }),
    );
    parts.push(...result.receipts.map((receipt) => encode(receiptCodec, receipt)));
    parts.push(encode(u53, result.gasUsed));
    const writes = [...result.writes].sort(
      (a, b) =>
        (a.contract < b.contract ? -1 : a.contract > b.contract ? 1 : 0) ||
        compareBytes(a.key, b.key),
    );
    parts.push(encode(writesCodec, writes));
  }
  return toHex(taggedSm3("credlink/test/1", concatBytes(...parts)));
}
