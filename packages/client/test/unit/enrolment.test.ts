import { createSm2Signer, generateKeyPair, sm2Verify } from "@credlink/crypto";
import { identityEvidenceDigest, keyBindingMessage, keyPossessionMessage } from "@credlink/ledger";
import { digest, fromHex, toHex } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import {
  bindKeyCall,
  enrollIndividualsCall,
  enrolPerson,
  individualOf,
  type Person,
  proveBinding,
} from "../../src/index.ts";

const key = new Uint8Array(32).fill(7);
const chain = digest(new Uint8Array(32).fill(9));
const person: Person = { reference: "no-1", kind: "identity-card", value: "11010519491231002X" };

describe("S-11.4-2a: a person's enrolment", () => {
  it("is the same each time, and another for another key, chain or reference", () => {
    const first = enrolPerson(key, chain, person);
    expect(enrolPerson(key, chain, person)).toEqual(first);
    const others = [
      enrolPerson(new Uint8Array(32).fill(8), chain, person),
      enrolPerson(key, digest(new Uint8Array(32).fill(1)), person),
      enrolPerson(key, chain, { ...person, reference: "no-2" }),
    ];
    const all = [first, ...others];
    expect(new Set(all.map(({ address }) => toHex(address))).size).toBe(4);
    expect(new Set(all.map(({ secret }) => toHex(secret))).size).toBe(4);
    expect(new Set(all.map(({ seen }) => seen.salt)).size).toBe(4);
  });

  it("keeps the address when a value is corrected, under another salt", () => {
    const first = enrolPerson(key, chain, person);
    const corrected = enrolPerson(key, chain, { ...person, value: "110105194912310038" });
    expect(corrected.address).toEqual(first.address);
    expect(corrected.seen.salt).not.toBe(first.seen.salt);
  });

  it("shows the chain the salted digest and nothing of person, salt or secret", () => {
    const enrolment = enrolPerson(key, chain, person);
    const [evidence] = individualOf(enrolment).evidence;
    const salt = fromHex(enrolment.seen.salt);
    expect(evidence?.digest).toEqual(identityEvidenceDigest(person, salt));
    const times = { validFromMs: 1, validToMs: 2 };
    const { args } = enrollIndividualsCall([individualOf(enrolment)], times);
    for (const hidden of [enrolment.seen.salt, toHex(enrolment.secret)]) {
      expect(toHex(args)).not.toContain(hidden);
    }
    const plain = new TextDecoder("latin1").decode(args);
    expect(plain).not.toContain(person.reference);
    expect(plain).not.toContain(person.value);
  });
});

describe("T-4.5-1: a binding", () => {
  it("is signed by both keys for this chain, and wipes the secret", async () => {
    const { secret, address } = enrolPerson(key, chain, person);
    const own = createSm2Signer(generateKeyPair().privateKey);
    const binding = await proveBinding(secret, own, chain);
    expect(secret).toEqual(new Uint8Array(32));
    expect(binding.address).toEqual(address);
    const { publicKey, enrolmentKey, authorization, possession } = binding;
    const bound = keyBindingMessage(chain, { address, publicKey });
    expect(sm2Verify(enrolmentKey, bound, authorization)).toBe(true);
    const held = keyPossessionMessage(chain, { address, index: 0, publicKey });
    expect(sm2Verify(publicKey, held, possession)).toBe(true);
    expect(bindKeyCall(binding)).toMatchObject({ contract: "members", method: "bindKey" });
  });
});
