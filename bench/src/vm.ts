import { createExecutor, type FormStore } from "@credlink/contracts-vm";
import { sm3 } from "@credlink/crypto";
import { BUILT_IN_VERSION, installContractArgsCodec, SUCCESS } from "@credlink/ledger";
import { digest, encode } from "@credlink/primitives";
import { type TestCall, TestChain } from "../../packages/contracts/test/support/chain.ts";
import { createGenesis, memberKeyOf } from "../../packages/contracts/test/support/consortium.ts";
import { largeContract } from "./large-contract.ts";
import type { VmOptions } from "./options.ts";
import { type Percentiles, percentiles } from "./statistics.ts";
import { BLOCK_CALLS, type ComparedCosts, measureCalls } from "./vm-calls.ts";

const LARGE_BYTES = 200 * 1024;

/** What `pnpm bench vm` measured: processor time, so that other processes count less. */
export interface VmReport extends ComparedCosts {
  /** Installing a contract of 200 KiB: judged, rewritten, stored. */
  readonly installMs: Percentiles;
  /** First call of it in a process: its form derived anew, or given back by a store. */
  readonly firstCallMs: { readonly derived: Percentiles; readonly restored: Percentiles };
}

async function cpuMs(task: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await task();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** Keeps forms as the node's files do, without a disk. */
function memoryForms(): FormStore {
  const kept = new Map<string, Uint8Array>();
  return {
    load: (name) => kept.get(name) ?? null,
    save: (name, content) => void kept.set(name, content),
    refuse: (name) => void kept.delete(name),
  };
}

async function measureLarge(rounds: number): Promise<Pick<VmReport, "installMs" | "firstCallMs">> {
  const large = largeContract(LARGE_BYTES);
  const [ruleSet, report] = [digest(sm3(large.code)), digest(sm3(large.manifest))];
  const args = encode(installContractArgsCodec, { ...large, scan: { ruleSet, report, high: 0 } });
  const genesis = await createGenesis();
  const installed = { ...genesis, contracts: [...genesis.contracts, large] };
  const install: number[] = [];
  const derived: number[] = [];
  const restored: number[] = [];
  const forms = memoryForms();
  const run: TestCall = {
    sender: memberKeyOf("institution"),
    ...{ contract: "large", version: "1.0.0", method: "run", args: new Uint8Array(0) },
  };
  const firstCall = async (executor: ReturnType<typeof createExecutor>): Promise<number> => {
    const chain = await TestChain.open(installed, executor);
    return cpuMs(async () => {
      const { status } = await chain.run(run);
      if (status !== SUCCESS) throw new Error(`the large contract: ${status}`);
    });
  };
  await firstCall(createExecutor({ forms }));
  for (let i = 0; i < rounds; i++) {
    const chain = await TestChain.open(genesis, createExecutor());
    install.push(
      await cpuMs(async () => {
        const call = { sender: memberKeyOf("admin"), contract: "contracts", method: "install" };
        const { status } = await chain.run({ ...call, version: BUILT_IN_VERSION, args });
        if (status !== SUCCESS) throw new Error(`installing: ${status}`);
      }),
    );
    derived.push(await firstCall(createExecutor()));
    restored.push(await firstCall(createExecutor({ forms })));
  }
  return {
    installMs: percentiles(install),
    firstCallMs: { derived: percentiles(derived), restored: percentiles(restored) },
  };
}

/** Measures the executor alone: no network, no disk, no signatures. */
export async function runVm(
  { rounds, against }: VmOptions,
  say: (text: string) => void,
): Promise<VmReport> {
  say(`calls of each type of credential, ${rounds} blocks of ${BLOCK_CALLS}`);
  const calls = await measureCalls(rounds, against);
  say("a contract of 200 KiB");
  return { ...calls, ...(await measureLarge(Math.min(rounds, 20))) };
}
