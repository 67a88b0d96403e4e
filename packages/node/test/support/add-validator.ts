import { createCertificate, createSm2Signer, parseCertificate } from "@credlink/crypto";
import {
  BUILT_IN_VERSION,
  changeValidatorsArgsCodec,
  enrollArgsCodec,
  readyArgsCodec,
  SUCCESS,
} from "@credlink/ledger";
import { encode, invariant } from "@credlink/primitives";
import type { TestChain } from "../../../contracts/test/support/chain.ts";
import {
  DAY_MS,
  GENESIS_MS,
  keyOf,
  memberKeyOf,
  type TestKey,
} from "../../../contracts/test/support/consortium.ts";

/** Enrols a node, has it say that it is ready, and makes it a validator two blocks on. */
export async function addValidator(chain: TestChain, key: TestKey, nodeId: string): Promise<void> {
  const { genesis } = chain.ledger;
  const authority = parseCertificate(
    genesis.organizations[0]?.authorityCertificate ?? new Uint8Array(0),
  );
  invariant(authority.ok, "the organisation's certificate reads");
  const { der } = await createCertificate({
    subject: { commonName: nodeId, organization: "alpha", organizationalUnit: "validator" },
    subjectKey: key.publicKey,
    notBeforeMs: GENESIS_MS - DAY_MS,
    notAfterMs: GENESIS_MS + 700 * DAY_MS,
    issuer: authority.value,
    signer: createSm2Signer(keyOf("authority").privateKey),
  });
  const run = async (sender: TestKey, contract: string, method: string, args: Uint8Array) => {
    const { status } = await chain.run({
      ...{ sender, contract, method, args },
      version: BUILT_IN_VERSION,
    });
    invariant(status === SUCCESS, `${method}: ${status}`);
  };
  const admin = memberKeyOf("admin");
  await run(admin, "members", "enroll", encode(enrollArgsCodec, { certificates: [der] }));
  const { header, digest } = chain.ledger.head;
  await run(key, "validators", "ready", encode(readyArgsCodec, { height: header.height, digest }));
  const change = { add: [{ nodeId, peerId: `peer-${nodeId}`, certificate: der }], remove: [] };
  await run(admin, "validators", "change", encode(changeValidatorsArgsCodec, change));
  // In force two blocks on.
  for (let block = 0; block < 3; block += 1) await chain.block([]);
}
