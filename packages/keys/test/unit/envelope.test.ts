import { createSm2Signer, generateKeyPair, systemRandom } from "@credlink/crypto";
import { toHex, utf8 } from "@credlink/primitives";
import { expect, test } from "vitest";
import {
  activateKey,
  destroyKey,
  distributeKey,
  generateKey,
  openEnvelope,
  openStoredSigner,
  receiveKey,
  sealEnvelope,
} from "../../src/index.ts";
import { codeOf, makeStore, OTHER_PASSWORD, PASSWORD } from "../support/stores.ts";

const READ = { custodyRead: true };

async function makePair() {
  const sender = await makeStore();
  for (const name of ["admin", "node-7"]) {
    const kind = name === "admin" ? "member" : "node";
    await generateKey(sender, { name, kind, password: PASSWORD });
    await activateKey(sender, name, READ);
  }
  const receiver = await makeStore();
  const input = { name: "inbox", kind: "encryption", password: OTHER_PASSWORD } as const;
  const inbox = await generateKey(receiver, input);
  await activateKey(receiver, "inbox", READ);
  const recipientKey = new Uint8Array(Buffer.from(inbox.publicKey, "hex"));
  return { sender, receiver, recipientKey };
}

test("S-9.5-2a, S-9.5-2b: a key is distributed under the recipient's key, never in the clear", async () => {
  const { sender, receiver, recipientKey } = await makePair();
  const signer = await openStoredSigner(sender, "admin", PASSWORD);
  const envelope = await distributeKey(sender, "node-7", {
    ...{ password: PASSWORD, recipientKey, signer },
  });
  const input = {
    ...{ name: "node-7", envelope, password: OTHER_PASSWORD, senderKey: signer.publicKey },
    recipient: { selector: "inbox", password: OTHER_PASSWORD },
  };
  const stranger = { ...input, senderKey: generateKeyPair().publicKey };
  expect(await codeOf(() => receiveKey(receiver, stranger))).toBe("KEYS_ENVELOPE_SENDER");
  const received = await receiveKey(receiver, input);
  expect(received).toMatchObject({ kind: "node", state: "pre-active", origin: "import" });
  await activateKey(receiver, "node-7", READ);
  const there = await openStoredSigner(receiver, "node-7", OTHER_PASSWORD);
  const here = await openStoredSigner(sender, "node-7", PASSWORD);
  expect(toHex(there.publicKey)).toBe(toHex(here.publicKey));
  await destroyKey(receiver, "node-7", "test");
  expect(await codeOf(() => receiveKey(receiver, { ...input, name: "again" }))).toBe(
    "KEYS_KEY_DESTROYED",
  );
});

test("S-9.7-1: sign, then encrypt: confidence, wholeness and sender in one, each held", async () => {
  const sender = generateKeyPair();
  const recipient = generateKeyPair();
  const other = generateKeyPair();
  const components = { random: systemRandom, signer: createSm2Signer(sender.privateKey) };
  const content = utf8("结算明细 2026-11: 30,000.00");
  const message = { purpose: "message", recipientKey: recipient.publicKey, content } as const;
  const text = await sealEnvelope(components, message);
  expect(
    Buffer.from(text.replaceAll(/-----.*-----|\n/g, ""), "base64").includes(Buffer.from(content)),
  ).toBe(false);
  const access = { purpose: "message", ...recipient, senderKey: sender.publicKey } as const;
  expect(openEnvelope(text, access).content).toEqual(content);
  expect(await codeOf(() => openEnvelope(text, { ...access, ...other }))).toBe(
    "KEYS_ENVELOPE_RECIPIENT",
  );
  expect(await codeOf(() => openEnvelope(text, { ...access, purpose: "key" }))).toBe(
    "KEYS_ENVELOPE_MALFORMED",
  );
  expect(await codeOf(() => openEnvelope(text, { ...access, senderKey: other.publicKey }))).toBe(
    "KEYS_ENVELOPE_SENDER",
  );
  const lines = text.split("\n");
  for (let line = 1; line < lines.length - 2; line++) {
    const flip = (l: string): string => (l[3] === "A" ? "B" : "A");
    const altered = lines.map((l, i) => (i === line ? l.slice(0, 3) + flip(l) + l.slice(4) : l));
    const code = await codeOf(() => openEnvelope(altered.join("\n"), access));
    expect(code, `line ${line}`).toMatch(/^KEYS_ENVELOPE_(MALFORMED|RECIPIENT)$/);
  }
});
