import { builtInErrors, contractsVmErrors, createExecutor } from "@credlink/contracts-vm";
import { parseCertificate, parseRevocationList, verifyCertificateChain } from "@credlink/crypto";
import {
  defaultGovernance,
  enrollArgsCodec,
  type Genesis,
  MEMBERS_CONTRACT,
  registerRevocationListArgsCodec,
} from "@credlink/ledger";
import { encode, tryDecode } from "@credlink/primitives";
import { TestChain, transactionOf } from "../../../packages/contracts-vm/test/support/chain.ts";
import { testParameters } from "../../../packages/contracts-vm/test/support/consortium.ts";
import { createMutator } from "../signed-samples.ts";
import { ACCEPTED, type Outcome, refused, type Target } from "../target.ts";
import { NOW_MS, type World } from "../world.ts";

const codes: ReadonlySet<string> = new Set(
  [builtInErrors, contractsVmErrors].flatMap((table) => Object.keys(table)),
);
const SUCCESS = "SUCCESS";

function genesisOf(world: World): Genesis {
  const { root, alpha, beta, admin } = world;
  return {
    version: 1,
    chainId: "test-chain",
    timestampMs: NOW_MS,
    production: false,
    allowNonByzantine: true,
    consensus: "pbft",
    roots: [root.certificate.der],
    organizations: [alpha, beta].map(({ certificate }) => ({
      name: certificate.subject.organization,
      authorityCertificate: certificate.der,
    })),
    members: [admin, world.validator].map(({ certificate }) => ({ certificate: certificate.der })),
    validators: [
      { nodeId: "validator", publicKey: world.validator.certificate.subjectKey, peerId: "peer" },
    ],
    parameters: testParameters,
    governance: defaultGovernance(
      [alpha, beta].map(({ certificate }) => certificate.subject.organization),
    ),
    contracts: [],
  };
}

/** Whether what the contract took is what the judge of chains takes. */
function checkEnrolment(world: World, args: Uint8Array): string | undefined {
  const decoded = tryDecode(enrollArgsCodec, args);
  if (!decoded.ok) return "arguments that do not decode were taken";
  for (const der of decoded.value.certificates) {
    const leaf = parseCertificate(der);
    if (!leaf.ok) return `enrolled what is no certificate: ${leaf.code}`;
    const verdict = verifyCertificateChain({
      leaf: leaf.value,
      intermediates: [world.alpha.certificate],
      roots: [world.root.certificate],
      revocationLists: [],
      atMs: NOW_MS + 1_000,
    });
    if (!verdict.ok) return `enrolled against ${verdict.code}`;
    if (verdict.value.organization !== "alpha") return "enrolled for another organisation";
  }
  return undefined;
}

function checkList(args: Uint8Array): string | undefined {
  const decoded = tryDecode(registerRevocationListArgsCodec, args);
  if (!decoded.ok) return "arguments that do not decode were taken";
  const list = parseRevocationList(decoded.value.revocationList);
  if (!list.ok) return `registered what is no list: ${list.code}`;
  const isFresh = (list.value.nextUpdateMs ?? Infinity) >= NOW_MS;
  return isFresh ? undefined : "registered a stale list";
}

/** `members.enroll` and `members.registerRevocationList`, through the executor of blocks. */
export function onChainTarget(world: World): Target {
  const { alpha, beta, individual, admin, fullList, emptyList } = world;
  const certificate = createMutator([
    { der: individual.certificate.der, signer: alpha.signer },
    { der: individual.certificate.der, signer: beta.signer },
  ]);
  const list = createMutator([
    { der: fullList, signer: alpha.signer },
    { der: emptyList, signer: alpha.signer },
  ]);
  const executor = createExecutor();
  const chain = new TestChain(genesisOf(world), executor);
  chain.timeMs = NOW_MS + 1_000;
  const judge = async (method: string, args: Uint8Array): Promise<Outcome> => {
    const call = { contract: MEMBERS_CONTRACT, method, args, signers: [admin.address] };
    const context = { ...chain.context(), timestampMs: NOW_MS + 1_000 };
    const { receipts } = await executor.execute(chain.view, context, [transactionOf(call)]);
    const status = receipts[0]?.status ?? "none";
    if (status !== SUCCESS) return refused(status, codes);
    const finding = method === "enroll" ? checkEnrolment(world, args) : checkList(args);
    return finding === undefined ? { result: ACCEPTED } : { result: ACCEPTED, finding };
  };
  return {
    name: "on-chain",
    weight: 2,
    async make(random) {
      if (random.chance(0.5)) {
        const first = (await certificate(random)).subarray(0, 4_096);
        const certificates = random.chance(0.1) ? [first, first] : [first];
        return [Uint8Array.of(0), encode(enrollArgsCodec, { certificates })];
      }
      const revocationList = (await list(random)).subarray(0, 32 * 1024);
      return [Uint8Array.of(1), encode(registerRevocationListArgsCodec, { revocationList })];
    },
    judge: ([which, args = new Uint8Array(0)]) =>
      judge(which?.[0] === 1 ? "registerRevocationList" : "enroll", args),
  };
}
