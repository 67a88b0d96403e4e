import { sm3 } from "@credlink/crypto";
import {
  contractUsageCodec,
  keyPossessionMessage,
  observationCodec,
  oracleFeedCodec,
  publishArgsCodec,
  readFeedArgsCodec,
  readFeedCodec,
  renewCertificateArgsCodec,
  rotateKeyArgsCodec,
  setQuotaArgsCodec,
  stateUsageCodec,
} from "@credlink/ledger";
import {
  address,
  type Codec,
  concatBytes,
  decode,
  digest,
  encode,
  toHex,
  utf8,
  utf8ToText,
} from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import { certificateHolderCodec, rows } from "../../src/built-in/rows.ts";
import { manifestCodec, validateModule } from "../../src/index.ts";
import { formName, meterModule } from "../../src/metered-module.ts";
import { statePageCodec } from "../../src/state-page.ts";
import { manifestOf, NAME, VERSION } from "../support/assembler.ts";
import { TestChain } from "../support/chain.ts";
import { type Consortium, createConsortium } from "../support/consortium.ts";
import { fitModule } from "../support/fit-module.ts";
import { readModules } from "../support/generated-modules.ts";
import { storageCall, storageContract } from "../support/storage-contract.ts";
import { decodeModule } from "../support/wasm-decoder.ts";

const publisher = address(new Uint8Array(32).fill(1));
const used = { entries: 3, bytes: 70_000 };

/** Bytes that this version of the formats must make and read, for ever. */
const formats: readonly (readonly [name: string, bytes: () => Uint8Array, golden: string])[] = [
  [
    "page",
    codec(statePageCodec, { entries: [{ key: utf8("a"), value: utf8("b") }], next: utf8("a\0") }),
    "929192c40161c40162c4026100",
  ],
  ["last page", codec(statePageCodec, { entries: [], next: null }), "9290c0"],
  ["usage", codec(stateUsageCodec, used), "92d30000000000000003d30000000000011170"],
  ["usage and quota", codec(contractUsageCodec, { used, quota: used }), "9292d30000000000000003d3000000000001117092d30000000000000003d30000000000011170"],
  ["setQuota", codec(setQuotaArgsCodec, { name: "c", quota: used }), "92a16392d30000000000000003d30000000000011170"],
  ["setQuota, none", codec(setQuotaArgsCodec, { name: "c", quota: null }), "92a163c0"],
  [
    "feed",
    codec(oracleFeedCodec, { feed: "f", publishers: [publisher], maxValueBytes: 8, validityMs: 9 }),
    "94a16691c420010101010101010101010101010101010101010101010101010101010101010108d30000000000000009",
  ],
  ["publish", codec(publishArgsCodec, { feed: "f", observedAtMs: 5, value: utf8("v") }), "93a166d30000000000000005c40176"],
  ["read", codec(readFeedArgsCodec, { feed: "f", publisher, maxAgeMs: 5 }), "93a166c4200101010101010101010101010101010101010101010101010101010101010101d30000000000000005"],
  [
    "observation",
    codec(observationCodec, { value: utf8("v"), observedAtMs: 5, recordedAtMs: 6 }),
    "93c40176d30000000000000005d30000000000000006",
  ],
  [
    "rotateKey",
    codec(rotateKeyArgsCodec, { publicKey: new Uint8Array(65), possession: new Uint8Array(64), certificate: null }),
    `93c441${"00".repeat(65)}c440${"00".repeat(64)}c0`,
  ],
  ["renewCertificate", codec(renewCertificateArgsCodec, { certificate: utf8("c") }), "91c40163"],
  [
    "holder of a certificate",
    codec(certificateHolderCodec, { address: publisher, certificateDigest: digest(publisher) }),
    `92c420${"01".repeat(32)}c420${"01".repeat(32)}`,
  ],
  ["nothing to read", codec(readFeedCodec, null), "c0"],
];

function codec<T>(of: Codec<T>, value: T): () => Uint8Array {
  return () => {
    const bytes = encode(of, value);
    expect(decode(of, bytes)).toEqual(value);
    return bytes;
  };
}

describe("golden bytes", () => {
  it.each(formats)("%s", (_, bytes, golden) => {
    expect(toHex(bytes())).toBe(golden);
  });

  it("what a new key signs, and where its owner stands", () => {
    const place = { address: publisher, index: 1, publicKey: new Uint8Array(65).fill(2) };
    expect(toHex(keyPossessionMessage(digest(publisher), place))).toBe(
      "3be9b68fc2858c0d39b14d4159b4cf33ae74c1025ffa5325c71c4ae0f18c6bfc",
    );
    const { contract, key } = rows.keyOwner(publisher);
    expect(`${contract} ${toHex(key)}`).toBe(`members ${toHex(utf8("key/"))}${"01".repeat(32)}`);
  });

  it("keys of usage, quotas, feeds and observations", () => {
    const places = [rows.usage("c"), rows.quota("c"), rows.feed("f"), rows.feedNames];
    expect(places.map(({ contract, key }) => `${contract} ${utf8ToText(key)}`)).toEqual([
      "contracts usage/c",
      "contracts quota/c",
      "oracles feed/f",
      "oracles feeds",
    ]);
    const { key } = rows.observation("f", publisher);
    expect(toHex(key)).toBe(`${toHex(utf8("observation/f"))}00${"01".repeat(32)}`);
  });
});

describe("golden metered forms", () => {
  // Nodes keep forms under a name with the version in it: a build that makes other forms and has the
  // same version would go on running those of the build before.
  it("of form version 1: whoever changes them raises FORM_VERSION", () => {
    const codeDigest = digest(new Uint8Array(32));
    const { code, manifest } = storageContract();
    const methods = decode(manifestCodec, manifest).methods.map(({ name }) => name);
    const modules = [
      { code, manifest: decode(manifestCodec, manifest), methods },
      ...readModules().map((module) => {
        const fitted = fitModule(module).code;
        const names = [...decodeModule(fitted).exports.keys()];
        return { code: fitted, manifest: manifestOf([], { maxMemoryPages: 256 }), methods: names };
      }),
    ];
    const kept = modules.map((each) => {
      const module = validateModule(each.code, each.manifest);
      if (!module.ok) throw new Error(module.code);
      const { form, ...rest } = meterModule(module.value, each.methods);
      return concatBytes(utf8(JSON.stringify(rest)), sm3(form));
    });
    expect({
      name: formName({ codeDigest, manifestDigest: codeDigest }),
      forms: toHex(sm3(concatBytes(...kept))),
    }).toEqual({
      name: "d135bbd5c97ad675a00631a2c5b36323388b0fbfb41a40cef450c83e504158bc",
      forms: "5a026de93b6d09fb480973a5da27c60995030edc0e1bb76636f3d15914c2eb6a",
    });
  });
});

describe("golden gas of schedule 1", () => {
  let consortium: Consortium;
  beforeAll(async () => {
    consortium = await createConsortium({ contracts: [storageContract()] });
  });

  it("of calls that store, delete and list", async () => {
    const chain = new TestChain(consortium.genesis);
    const gas: number[] = [];
    for (const [method, args] of [
      ["put", storageCall.put("key", "value")],
      ["put", storageCall.put("other", "a longer value")],
      ["list", storageCall.list("a", "z", 10)],
      ["remove", utf8("key")],
      ["clear", storageCall.list("", "z", 1)],
    ] as const) {
      const receipt = await chain.run({
        ...{ contract: NAME, version: VERSION, method, args },
        signers: [consortium.institution.address],
      });
      expect(receipt.status).toBe("SUCCESS");
      gas.push(receipt.gasUsed);
    }
    // The first: 50,090 for the transaction, 2,000 to find and 68,000 to enter the contract, 8,369 for
    // three calls of the host, and 42 for the instructions.
    expect(gas).toEqual([128_501, 128_842, 135_871, 128_267, 1_792_225]);
  });
});
