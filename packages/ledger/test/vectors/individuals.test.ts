import { taggedSm3 } from "@credlink/crypto";
import { address, type Codec, concatBytes, decode, digest, encode, toHex } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import {
  bindKeyArgsCodec,
  enrolledIndividualsCodec,
  enrollIndividualsArgsCodec,
  enrolmentOutcomesCodec,
  keyBindingMessage,
  MAX_EVENT_BYTES,
  MAX_IDENTITY_EVIDENCE,
  MAX_INDIVIDUALS,
  MAX_TRANSACTION_BYTES,
} from "../../src/index.ts";

const individual = address(new Uint8Array(32).fill(0x5e));
const seen = { kind: "identity-card", digest: digest(new Uint8Array(32).fill(1)) } as const;
const times = { validFromMs: 5, validToMs: 6 };
const publicKey = new Uint8Array(65).fill(5);

/** Bytes that this version of the formats must make and read, for ever; written out by hand. */
const formats: readonly (readonly [name: string, bytes: () => Uint8Array, golden: string])[] = [
  [
    "enrollIndividuals",
    codec(enrollIndividualsArgsCodec, {
      individuals: [{ address: individual, evidence: [seen] }],
      ...times,
    }),
    `939192c420${"5e".repeat(32)}9192ad${Buffer.from("identity-card").toString("hex")}c420` +
      `${"01".repeat(32)}d30000000000000005d30000000000000006`,
  ],
  [
    "outcomes",
    codec(enrolmentOutcomesCodec, ["enrolled", "present", "differs", "taken"]),
    "94a8656e726f6c6c6564a770726573656e74a764696666657273a574616b656e",
  ],
  ["event", codec(enrolledIndividualsCodec, [individual]), `91c420${"5e".repeat(32)}`],
  [
    "bindKey",
    codec(bindKeyArgsCodec, {
      address: individual,
      enrolmentKey: new Uint8Array(65).fill(4),
      authorization: new Uint8Array(64).fill(1),
      publicKey,
      possession: new Uint8Array(64).fill(2),
    }),
    `95c420${"5e".repeat(32)}c441${"04".repeat(65)}c440${"01".repeat(64)}c441${"05".repeat(65)}` +
      `c440${"02".repeat(64)}`,
  ],
];

function codec<T>(of: Codec<T>, value: T): () => Uint8Array {
  return () => {
    const bytes = encode(of, value);
    expect(decode(of, bytes)).toEqual(value);
    return bytes;
  };
}

describe("golden bytes of individuals without keys", () => {
  it.each(formats)("%s", (_, bytes, golden) => {
    expect(toHex(bytes())).toBe(golden);
  });

  it("what an enrolment key signs: chain, individual and the key that it takes", () => {
    const chain = digest(new Uint8Array(32).fill(9));
    const message = keyBindingMessage(chain, { address: individual, publicKey });
    const parts = concatBytes(chain, individual, publicKey);
    expect(toHex(message)).toBe(toHex(taggedSm3("credlink/key-binding/1", parts)));
  });

  it("the largest batch fits into a transaction, and its event into its bound", () => {
    const evidence = Array.from({ length: MAX_IDENTITY_EVIDENCE }, () => seen);
    const individuals = Array.from({ length: MAX_INDIVIDUALS }, () => ({
      address: individual,
      evidence,
    }));
    const args = encode(enrollIndividualsArgsCodec, { individuals, ...times });
    expect(args.length).toBeLessThan(MAX_TRANSACTION_BYTES / 2);
    const addresses = individuals.map((each) => each.address);
    expect(encode(enrolledIndividualsCodec, addresses).length).toBeLessThanOrEqual(MAX_EVENT_BYTES);
    const tooMany = [...individuals, { address: individual, evidence }];
    expect(() => encode(enrollIndividualsArgsCodec, { individuals: tooMany, ...times })).toThrow();
  });
});
