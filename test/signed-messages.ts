/** One message of every kind that is signed anywhere, made by the code that makes it. */
import { type ReceiptStatement, receiptDomains, receiptStatementCodec } from "@credlink/api";
import {
  renewalPayload,
  renewalSigningMessage,
  sessionMessage,
  signNodeRequest,
  signReceived,
} from "@credlink/client";
import {
  addressFromPublicKey,
  createSelfSignedCertificate,
  publicKeyFromPrivate,
  sm2Sign,
  sm3,
  taggedSm3,
} from "@credlink/crypto";
import { sealEnvelope } from "@credlink/keys";
import { keyPossessionMessage, transactionSigningMessage } from "@credlink/ledger";
import {
  digest,
  encode,
  height,
  type Random,
  type Signer,
  utf8,
  validatorIndex,
  view,
} from "@credlink/primitives";
import { acknowledgeCustody } from "../packages/ca/src/custody.ts";
import { createProof } from "../packages/client/src/vc/suite.ts";
import { signedPayload } from "../packages/consensus-pbft/src/signed-payloads.ts";
import { instanceSigningMessage } from "../packages/node/src/engine/instance-statements.ts";
import { admissionSigningMessage } from "../packages/node/src/p2p/admission-messages.ts";

interface Made {
  readonly domain: string;
  readonly message: Uint8Array;
}

/** Keys by name, the same on every run. */
export const signers = {
  of(name: string) {
    const privateKey = sm3(utf8(`signed messages ${name}`));
    // Below the order for certain.
    privateKey[0] = 0x11;
    const publicKey = publicKeyFromPrivate(privateKey);
    return { publicKey, sign: (message: Uint8Array) => sm2Sign(privateKey, message) };
  },
};

const GENESIS = digest(new Uint8Array(32).fill(1));
const OTHER = digest(new Uint8Array(32).fill(2));
const NONCE = new Uint8Array(32).fill(3);
const NOW_MS = Date.UTC(2026, 10, 27);

/** A signer that keeps what it was given to sign. */
function recorder(): { readonly signer: Signer; readonly last: () => Uint8Array } {
  const { publicKey, sign } = signers.of("everybody");
  let last: Uint8Array | undefined;
  return {
    signer: {
      publicKey,
      sign: async (message) => {
        last = message;
        return sign(message);
      },
    },
    last: () => {
      if (last === undefined) throw new Error("nothing was signed");
      return last;
    },
  };
}

async function recorded(domain: string, work: (signer: Signer) => Promise<unknown>): Promise<Made> {
  const { signer, last } = recorder();
  await work(signer);
  return { domain, message: last() };
}

const random: Random = { bytes: (length) => new Uint8Array(length).fill(5), integer: () => 0 };

function consensusMessages(): Made[] {
  const context = { chainId: "chain", genesisDigest: GENESIS, validatorsHash: OTHER };
  const place = { height: height(7), view: view(0), sender: validatorIndex(0) };
  const prepared = { preparedView: null, preparedDigest: null };
  const made = [
    { type: "pre-prepare", ...place, parentDigest: GENESIS, digest: OTHER, justification: null },
    { type: "prepare", ...place, digest: OTHER },
    { type: "commit", ...place, digest: OTHER },
    { type: "wish", ...place },
    { type: "view-change", ...place, ...prepared, prepared: null },
  ] as const;
  return made.map((message) => ({
    domain: `credlink/consensus/${message.type}/1`,
    message: signedPayload(context, message),
  }));
}

function nodeReceipts(): Made[] {
  const actor = addressFromPublicKey(signers.of("actor").publicKey);
  const base = { version: 1, genesisDigest: GENESIS, actor, content: OTHER, atMs: NOW_MS };
  const at = height(7);
  const said: ReceiptStatement[] = [
    { type: "taken", ...base, action: "create", height: at },
    {
      type: "decided",
      ...base,
      action: "create",
      height: at,
      block: GENESIS,
      index: 0,
      status: "",
    },
    { type: "configured", ...base, action: "configure", height: at, sequence: 1, mode: "running" },
  ];
  return said.map((statement) => {
    const domain = receiptDomains[statement.type];
    return { domain, message: taggedSm3(domain, encode(receiptStatementCodec, statement)) };
  });
}

/** All of them; `domain` is the name that docs/protocol/receipts.md gives. */
export async function signedMessages(): Promise<readonly Made[]> {
  const { publicKey } = signers.of("actor");
  const address = addressFromPublicKey(publicKey);
  const admin = { address, signer: recorder().signer };
  const envelope = (purpose: "key" | "message") =>
    recorded(`credlink/envelope/1/${purpose}`, (signer) =>
      sealEnvelope({ random, signer }, { purpose, recipientKey: publicKey, content: NONCE }),
    );
  const certificate = await createSelfSignedCertificate({
    subject: { commonName: "Root", organization: "all", organizationalUnit: "ca" },
    notBeforeMs: NOW_MS,
    notAfterMs: NOW_MS + 86_400_000,
    authority: { pathLength: 1 },
    signer: admin.signer,
  });
  const terms = { nonce: NONCE, certificate, request: NONCE, custodyNotice: "notice" };
  const binding = { chainId: "chain", genesisDigest: GENESIS, signerRole: "dialer" } as const;
  const peers = { signerPeerId: "a", otherPeerId: "b", dialerNonce: NONCE, listenerNonce: NONCE };
  const instances = { instance: new Uint8Array(16).fill(1), other: new Uint8Array(16).fill(2) };
  return [
    {
      domain: "credlink/transaction-signature/1",
      message: transactionSigningMessage(GENESIS, NONCE),
    },
    { domain: "credlink/session/1", message: sessionMessage(GENESIS, NONCE, address) },
    await recorded("credlink/node-control/1", (signer) =>
      signNodeRequest({ address, signer }, GENESIS, { node: "node", action: "stop" }, NOW_MS),
    ),
    ...nodeReceipts(),
    await recorded(receiptDomains.received, (signer) =>
      signReceived(signer, { genesisDigest: GENESIS, from: address, content: OTHER, atMs: NOW_MS }),
    ),
    {
      domain: "credlink/ca-renewal-signature/1",
      message: renewalSigningMessage(renewalPayload(terms), NONCE),
    },
    await recorded("credlink/custody-acknowledgement/1", (signer) =>
      acknowledgeCustody(signer, NOW_MS),
    ),
    {
      domain: "credlink/key-possession/1",
      message: keyPossessionMessage(GENESIS, { address, index: 1, publicKey }),
    },
    { domain: "credlink/document/1", message: taggedSm3("credlink/document/1", NONCE) },
    await envelope("key"),
    await envelope("message"),
    ...consensusMessages(),
    {
      domain: "credlink/admission/2",
      message: admissionSigningMessage({ ...binding, ...peers, sessionHash: NONCE }),
    },
    {
      domain: "credlink/instance/1",
      message: instanceSigningMessage({ chainId: "chain", genesisDigest: GENESIS }, instances),
    },
    { domain: "X.509", message: certificate.signedBytes },
    await recorded("DataIntegrityProof", (signer) =>
      createProof({ "@context": [] }, { created: "now", verificationMethod: "key" }, signer),
    ),
  ];
}
