import { addressFromPublicKey, sm2Sign, taggedSm3 } from "@credlink/crypto";
import {
  enrollArgsCodec,
  signedTransactionCodec,
  type Transaction,
  transactionCodec,
  transactionSigningMessage,
} from "@credlink/ledger";
import { encode, fromHex, height, toHex } from "@credlink/primitives";
import { createCredential } from "./consortium.ts";
import { createCaller, type NodeFolders } from "./nodes.ts";

/** A session of the consortium's admin. */
export async function logIn(made: NodeFolders, url: string) {
  const caller = createCaller(url);
  const address = made.adminAddress;
  const asked = await caller.call("session.challenge", { address });
  const challenge = String(asked.result?.challenge);
  const message = taggedSm3(
    "credlink/session/1",
    made.digest,
    fromHex(challenge),
    addressFromPublicKey(made.admin.publicKey),
  );
  const signature = toHex(sm2Sign(made.admin.privateKey, message));
  const login = await caller.call("session.login", { address, challenge, signature });
  caller.token = String(login.result?.token);
  return caller;
}

/** A call by the consortium's admin, signed. */
export function signedCall(
  made: NodeFolders,
  call: Pick<Transaction, "contract" | "method" | "args">,
): Uint8Array {
  const sender = addressFromPublicKey(made.admin.publicKey);
  const transaction = encode(transactionCodec, {
    version: 1,
    chainId: made.genesis.chainId,
    sender,
    nonce: crypto.getRandomValues(new Uint8Array(16)),
    expiryHeight: height(100),
    contractVersion: "1.0.0",
    gasLimit: 10_000_000,
    ...call,
  });
  const message = transactionSigningMessage(made.digest, transaction);
  const signature = sm2Sign(made.admin.privateKey, message);
  return encode(signedTransactionCodec, {
    transaction,
    signatures: [{ address: sender, signature }],
  });
}

/** A call that enrols a new member. */
export async function enrolment(made: NodeFolders, name = "someone"): Promise<Uint8Array> {
  const worker = await createCredential(made.authority, name, "enterprise");
  const args = encode(enrollArgsCodec, { certificates: [worker.certificate.der] });
  return signedCall(made, { contract: "members", method: "enroll", args });
}
