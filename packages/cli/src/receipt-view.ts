import type { KeptReceipt, VerifiedReceipt } from "@credlink/client";
import { formatAddress } from "@credlink/crypto";
import { toHex } from "@credlink/primitives";

/** What became of comparing a receipt with what it is of. */
export type ContentCheck = "same" | "not given";

/** A verified receipt as people and JSON read it. */
export function describeReceipt(
  { statement, signer, chainId }: VerifiedReceipt,
  content: ContentCheck,
) {
  const { version: _, genesisDigest, actor, content: digest, atMs, ...rest } = statement;
  return {
    chainId,
    genesisDigest: toHex(genesisDigest),
    ...rest,
    ...("block" in rest ? { block: toHex(rest.block) } : {}),
    ...("transaction" in rest
      ? { transaction: rest.transaction === null ? null : toHex(rest.transaction) }
      : {}),
    actor: formatAddress(actor),
    digest: toHex(digest),
    content,
    at: new Date(atMs).toISOString(),
    signer: {
      address: formatAddress(signer.address),
      publicKey: toHex(signer.publicKey),
      ...signer.certified,
    },
  };
}

type Described = ReturnType<typeof describeReceipt>;

function placeOf(receipt: Described): string {
  switch (receipt.type) {
    case "taken":
      return `at height ${receipt.height}`;
    case "decided":
      return `in block ${receipt.height}: ${receipt.status}`;
    case "configured":
      return `entry ${receipt.sequence} of its audit log, now ${receipt.mode}`;
    case "received":
      return receipt.transaction === null ? "" : `of transaction ${receipt.transaction}`;
  }
}

/** One receipt in a few lines. */
export function renderReceipt(receipt: Described): string {
  const { signer } = receipt;
  const who = "name" in signer ? `${signer.name}, ${signer.role} of ${signer.organization}` : "";
  return [
    `${receipt.type} ${receipt.action} ${receipt.digest} ${placeOf(receipt)}`.trimEnd(),
    `  by ${receipt.actor}, on ${receipt.chainId}, ${receipt.at}`,
    `  signed by ${who === "" ? `${signer.address} (no certificate)` : who}`,
    `  content ${receipt.content === "same" ? "compared" : "not compared: give it with --in"}`,
  ].join("\n");
}

/** What to compare a receipt with: what is kept beside it, else what the caller gave. */
export function contentOf(kept: KeptReceipt, given: Uint8Array | undefined): Uint8Array | null {
  return kept.content ?? given ?? null;
}
