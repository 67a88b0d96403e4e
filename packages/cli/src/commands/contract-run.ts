import {
  type BuiltContract,
  buildContract,
  describePlace,
  isForeign,
  type LocalCall,
  LocalChain,
  loadProject,
  packagedManifestOf,
  runTests,
  Stepper,
  type Trace,
  traceCall,
} from "@credlink/contract-tools";
import { type MemberRole, memberRoles, SUCCESS } from "@credlink/ledger";
import { type Address, fromHex, toHex } from "@credlink/primitives";
import { z } from "zod";
import { readTextOf } from "../connection.ts";
import { describeReturned, encodeContractArgs } from "../contract-values.ts";
import { CliError } from "../errors.ts";
import { type Answer, exitCodes, type Streams } from "../output.ts";
import type { Progress } from "./contract-develop.ts";
import { hostCallView, processTerminal, walk } from "./contract-step.ts";

/** Runs a project's tests; exit code 4 where one fails. */
export async function testProject(dir: string, progress: Progress): Promise<Answer> {
  const outcomes = await runTests(loadProject(dir), progress);
  const lines = outcomes.map(({ passed, file, name, failure, gas }) =>
    passed ? `ok   ${file} ${name} (${gas} gas)` : `FAIL ${file} ${name}\n     ${failure}`,
  );
  const failed = outcomes.filter(({ passed }) => !passed).length;
  const summary = `${outcomes.length - failed} passed, ${failed} failed`;
  return {
    value: { passed: outcomes.length - failed, failed, tests: outcomes },
    text: [...lines, summary].join("\n"),
    exitCode: failed > 0 ? exitCodes.unverified : exitCodes.done,
  };
}

export interface RunOptions {
  readonly args?: string;
  readonly as: string;
  readonly coSign?: readonly string[];
  readonly state?: string;
  readonly gas?: number;
  readonly json?: boolean;
}

const stateSchema = z.array(z.strictObject({ key: z.string(), value: z.string() }));
/** Lines of source that people are shown. */
const SHOWN_LINES = 20;

/** A method of a project that is ready to be run. */
interface PreparedRun {
  readonly chain: LocalChain;
  readonly contract: BuiltContract;
  readonly call: LocalCall;
  readonly readOnly: boolean;
}

async function prepare(
  dir: string,
  method: string,
  options: RunOptions,
  progress: Progress,
): Promise<PreparedRun> {
  const args = encodeContractArgs(options.args ?? "[]");
  const project = loadProject(dir);
  progress("compiling the contract");
  const contract = await buildContract(project, { debug: !isForeign(project) });
  const known = packagedManifestOf(contract.manifest).methods.find(({ name }) => name === method);
  if (known === undefined) throw new CliError("CLI_USAGE", `contract.json lists no ${method}`);
  const chain = await LocalChain.open([contract]);
  for (const { key, value } of readState(options.state)) {
    chain.put(contract.name, key, value);
  }
  const { name, version } = contract;
  const sender = memberOf(chain, options.as);
  const coSigners = (options.coSign ?? []).map((each) => memberOf(chain, each));
  const limit = options.gas === undefined ? {} : { gasLimit: options.gas };
  const call = { contract: name, version, method, args, sender, coSigners, ...limit };
  return { chain, contract, call, readOnly: known.readOnly };
}

/** Runs one method in this process, and says what it did and what each line cost. */
export async function runMethod(
  dir: string,
  method: string,
  options: RunOptions,
  progress: Progress,
): Promise<Answer> {
  const run = await prepare(dir, method, options, progress);
  progress("running");
  return finish(run, await traceCall(run.chain, run.contract, run.call));
}

/** The same, walked through call by call of the host as commands on stdin say. */
export async function stepMethod(
  dir: string,
  method: string,
  options: RunOptions,
  streams: Streams,
): Promise<Answer> {
  const run = await prepare(dir, method, options, (text) => streams.err(`${text}\n`));
  const stepper = await Stepper.open(run.chain, run.contract, run.call);
  await walk(stepper, processTerminal(streams, options.json ?? false));
  return finish(run, stepper.trace);
}

async function finish(
  { chain, contract: { name }, call, readOnly }: PreparedRun,
  trace: Trace,
): Promise<Answer> {
  const receipt = readOnly ? await chain.query(call) : await chain.run(call);
  // Whom the node lets in is judged before the contract runs: the receipt has the last word.
  const ran = receipt.status === trace.status;
  const value = {
    status: receipt.status,
    at: ran ? trace.stack.map(describePlace) : [],
    returned: describeReturned(receipt.returnValue),
    gasUsed: receipt.gasUsed,
    gasByLine: ran ? Object.fromEntries(trace.gasByLine) : {},
    hostCalls: ran ? trace.hostCalls.map(hostCallView) : [],
    events: receipt.events.map(({ topic, data }) => ({ topic, data: toHex(data) })),
    state: chain.entries(name).map((entry) => ({
      key: toHex(entry.key),
      value: toHex(entry.value),
    })),
  };
  const exitCode = receipt.status === SUCCESS ? exitCodes.done : exitCodes.refused;
  return { value, text: render(value), exitCode };
}

function render(value: {
  readonly status: string;
  readonly at: readonly string[];
  readonly returned: unknown;
  readonly gasUsed: number;
  readonly gasByLine: Readonly<Record<string, number>>;
  readonly hostCalls: readonly {
    readonly name: string;
    readonly detail: string;
    readonly gas: number;
    readonly at: string | null;
  }[];
}): string {
  const calls = value.hostCalls.map(
    ({ name, detail, gas, at }, index) =>
      `${String(index + 1).padStart(4)} ${name} ${detail} (${gas} gas)${at === null ? "" : ` at ${at}`}`,
  );
  const lines = Object.entries(value.gasByLine)
    .slice(0, SHOWN_LINES)
    .map(([line, gas]) => `${String(gas).padStart(9)} ${line}`);
  const end = value.at.length === 0 ? "" : ` at ${value.at.join(" from ")}`;
  return [
    ...["host calls:", ...calls, "gas by line:", ...lines],
    `status: ${value.status}${end}`,
    `returned: ${JSON.stringify(value.returned)}`,
    `gas: ${value.gasUsed}`,
  ].join("\n");
}

/** ROLE/NAME, made a member on the spot. */
function memberOf(chain: LocalChain, text: string): Address {
  const [roleText, name, ...rest] = text.split("/");
  const role: MemberRole | undefined = memberRoles.find((each) => each === roleText);
  if (role === undefined || name === undefined || name === "" || rest.length > 0) {
    throw new CliError("CLI_USAGE", `${text} is not ROLE/NAME`);
  }
  return chain.member(role, name);
}

/** Rows of the contract's state: [{"key": hex, "value": hex}, …]. */
function readState(path: string | undefined) {
  if (path === undefined) return [];
  let value: unknown;
  try {
    value = JSON.parse(readTextOf(path));
  } catch {
    throw new CliError("CLI_FILE_MALFORMED", `${path}: no JSON`);
  }
  const parsed = stateSchema.safeParse(value);
  const isHex = /^(?:[0-9a-f]{2})*$/;
  if (!parsed.success || parsed.data.some((row) => !isHex.test(row.key + row.value))) {
    throw new CliError("CLI_FILE_MALFORMED", `${path}: not a list of {"key", "value"} in hex`);
  }
  return parsed.data.map((row) => ({ key: fromHex(row.key), value: fromHex(row.value) }));
}
