import { signedReceiptCodec } from "@credlink/api";
import { createSm2Signer, generateKeyPair } from "@credlink/crypto";
import { address, decode, digest } from "@credlink/primitives";
import { expect, test } from "vitest";
import { createReceiptDesk } from "../../src/gateway/receipts.ts";
import { systemClock } from "../../src/system-clock.ts";
import { createEngineDouble } from "../support/engine-double.ts";
import { openLedger } from "../support/gateway.ts";

test("S-9.5-1d: a receipt is signed under the key that the node has then", async () => {
  const ledger = await openLedger();
  const keys = [generateKeyPair(), generateKeyPair()];
  let current = 0;
  const desk = createReceiptDesk({
    ...{ ledger, engine: createEngineDouble(ledger), clock: systemClock },
    identity: () => {
      const key = keys[current];
      if (key === undefined) throw new Error("there are two keys");
      return { signer: createSm2Signer(key.privateKey), chain: [] };
    },
  });
  for (const [at, { publicKey }] of keys.entries()) {
    current = at;
    const receipt = await desk.control({
      admin: address(new Uint8Array(32).fill(1)),
      ...{ message: digest(new Uint8Array(32)), sequence: at + 1, mode: "running" },
    });
    expect(decode(signedReceiptCodec, receipt).publicKey).toEqual(publicKey);
  }
});
