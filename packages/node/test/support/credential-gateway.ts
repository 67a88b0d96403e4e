/** A month's credentials on a real chain with real certificates, served by a real gateway. */
import { type Client, createClient, createIdentity, type Fetch } from "@credlink/client";
import { certificateClaims } from "@credlink/consensus-pbft";
import { createExecutor } from "@credlink/contracts-vm";
import { createSm2Signer, parseCertificate, sm2Sign, systemRandom } from "@credlink/crypto";
import { createMemoryStore, type Genesis, genesisCodec, genesisDigest } from "@credlink/ledger";
import {
  encode,
  equalBytes,
  invariant,
  noLogger,
  noMetrics,
  toHex,
  validatorIndex,
} from "@credlink/primitives";
import { generateBusinessMonth, stepsBehind } from "../../../../examples/src/index.ts";
import { type Certify, TestChain } from "../../../contracts/test/support/chain.ts";
import {
  createGenesis,
  DAY_MS,
  GENESIS_MS,
  keySource,
  memberKeyOf,
  type TestKey,
  type TestMember,
} from "../../../contracts/test/support/consortium.ts";
import { submitMonth } from "../../../contracts/test/support/month.ts";
import {
  type CredentialIndex,
  createCredentialIndex,
} from "../../src/credential-index/credential-index.ts";
import type { Engine } from "../../src/engine/types.ts";
import { createRemedies } from "../../src/gateway/errors.ts";
import { createGateway, listen } from "../../src/gateway/gateway.ts";
import { createReceiptDesk } from "../../src/gateway/receipts.ts";
import { systemClock } from "../../src/system-clock.ts";
import { createEngineDouble, createOperatorDouble, options } from "./engine-double.ts";

/** The clock of a gateway whose chain begins at the tests' own date. */
const clock = { ...systemClock, nowMs: () => GENESIS_MS + DAY_MS };

/** Signs blocks with the keys of those who are validators then. */
export function certifier(genesis: Genesis, keys: readonly TestKey[]): Certify {
  const byKey = new Map(keys.map((key) => [toHex(key.publicKey), key]));
  const chain = { chainId: genesis.chainId, genesisDigest: genesisDigest(genesis) };
  return (draft, { validators, hash }) => {
    const unsigned = validators.map((_, index) => ({
      index: validatorIndex(index),
      signature: new Uint8Array(64),
    }));
    const claims = certificateClaims(
      "commit",
      { ...draft, signatures: unsigned },
      { ...chain, validatorsHash: hash },
    );
    const signatures = claims.map(({ index, message }) => {
      const key = byKey.get(toHex(validators[index]?.publicKey ?? new Uint8Array(0)));
      invariant(key !== undefined, "the test holds every validator's key");
      return { index, signature: sm2Sign(key.privateKey, message) };
    });
    return { ...draft, signatures };
  };
}

/** The key of the chain's only node, with its certificate. */
function nodeIdentity(genesis: Genesis) {
  const { privateKey, publicKey } = memberKeyOf("node");
  const own = genesis.members.filter(({ certificate }) => {
    const parsed = parseCertificate(certificate);
    return parsed.ok && equalBytes(parsed.value.subjectKey, publicKey);
  });
  invariant(own.length === 1, "the node has one certificate");
  return { signer: createSm2Signer(privateKey), chain: own.map(({ certificate }) => certificate) };
}

/** A month, of which only what one invoice rests on is submitted, and who answers for it. */
export interface CredentialGateway {
  readonly chain: TestChain;
  readonly genesis: Uint8Array;
  readonly month: ReturnType<typeof generateBusinessMonth>;
  /** The invoice that everything on chain stands behind. */
  readonly invoice: Uint8Array;
  readonly credentials: CredentialIndex;
  /** @param fetch what stands between client and gateway */
  readonly clientOf: (member: TestMember, fetch?: Fetch) => Client;
  readonly close: () => Promise<void>;
}

/** @param validators keys of nodes that become validators later */
export async function openCredentialGateway(
  validators: readonly TestKey[] = [],
): Promise<CredentialGateway> {
  const genesis = await createGenesis();
  const certify = certifier(genesis, [memberKeyOf("node"), ...validators]);
  const chain = await TestChain.open(genesis, createExecutor(), certify);
  const month = generateBusinessMonth({
    seed: "month",
    startMs: GENESIS_MS - 32 * DAY_MS,
    institutionAddress: memberKeyOf("institution").address,
    createKey: keySource("month"),
    workers: 6,
  });
  const [first] = month.invoices;
  invariant(first !== undefined, "the month has invoices");
  const invoice = first.record.id;
  const refused = await submitMonth(chain, { ...month, steps: stepsBehind(month.steps, invoice) });
  invariant(refused.length === 0, `refused: ${refused.join(", ")}`);
  const { ledger } = chain;
  const credentials = await createCredentialIndex({
    store: createMemoryStore(),
    ledger,
    clock: systemClock,
    logger: noLogger,
    metrics: noMetrics,
  });
  const engine: Engine = {
    ...createEngineDouble(ledger),
    outcome: async (id) => {
      const place = ledger.place(id);
      const receipt = ledger.receipt(id);
      if (place === null || receipt === null) return { status: "unknown" };
      return { status: "committed", ...place, receipt };
    },
  };
  const identity = nodeIdentity(genesis);
  const app = createGateway(
    { ...options, maxBodyBytes: 1024 * 1024 },
    {
      engine,
      receipts: createReceiptDesk({ ledger, engine, identity: () => identity, clock }),
      ledger,
      executor: chain.executor,
      credentials,
      peers: () => [],
      operator: createOperatorDouble(),
      facts: {
        nodeId: "node",
        peerId: "12D3KooWSelf",
        role: "validator",
        version: "0.1.0",
        startedMs: clock.monotonicMs(),
      },
      readiness: () => ({ ready: true, reasons: [] }),
      isPolluted: () => false,
      remedyOf: createRemedies([]),
      clock,
      random: systemRandom,
      logger: noLogger,
      metrics: noMetrics,
    },
  );
  const url = `${await listen(app, options)}/rpc`;
  const bytes = encode(genesisCodec, genesis);
  return {
    chain,
    genesis: bytes,
    month,
    invoice,
    credentials,
    clientOf: (member, fetch) => {
      const identity = createIdentity(createSm2Signer(memberKeyOf(member).privateKey));
      const nowMs = () => clock.nowMs();
      return createClient({
        ...{ url, genesis: bytes, identity, nowMs },
        ...(fetch === undefined ? {} : { fetch }),
      });
    },
    close: async () => {
      await app.close();
      await credentials.stop();
    },
  };
}
