import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { describePlace, type HostCall, type Stepper } from "@credlink/contract-tools";
import { toHex } from "@credlink/primitives";
import type { Streams } from "../output.ts";

/** Where a walk's commands come from and its answers go. */
export interface StepTerminal {
  readonly lines: AsyncIterable<string>;
  /** Shows an answer: the value for programs, the text for people. */
  readonly show: (value: unknown, text: string) => void;
  /** Asks for the next command. */
  readonly ask: () => void;
}

interface Shown {
  readonly value: unknown;
  readonly text: string;
}

interface Walk {
  readonly stepper: Stepper;
  readonly breaks: Set<string>;
}

interface StepCommand {
  readonly names: readonly string[];
  readonly usage: string;
  readonly does: string;
  readonly run: (walk: Walk, operands: readonly string[]) => Shown | Promise<Shown> | null;
}

/** Most bytes of memory that one command shows. */
const MAX_SHOWN_BYTES = 4_096;

const commands: readonly StepCommand[] = [
  {
    names: ["next", "n"],
    usage: "next [COUNT]",
    does: "go on by a call of the host; so does an empty line",
    run: ({ stepper }, [count]) => moved(stepper, countOf(count), 1),
  },
  {
    names: ["back", "b"],
    usage: "back [COUNT]",
    does: "go back by a call of the host",
    run: ({ stepper }, [count]) => moved(stepper, countOf(count), -1),
  },
  {
    names: ["continue", "c"],
    usage: "continue",
    does: "go on to the next call where a break is set, or to the end",
    run: ({ stepper, breaks }) => {
      stepper.runTo((call) => namesOf(call).some((name) => breaks.has(name)));
      return place(stepper);
    },
  },
  {
    names: ["break"],
    usage: "break NAME | FILE:LINE",
    does: "stop before calls of this host function, or that come from this line",
    run: ({ stepper, breaks }, [name]) => {
      if (name === undefined) return null;
      breaks.add(name);
      const calls = stepper.trace.hostCalls.filter((call) => namesOf(call).includes(name)).length;
      return { value: { break: name, calls }, text: `${name}: ${calls} calls` };
    },
  },
  {
    names: ["clear"],
    usage: "clear",
    does: "take all breaks away",
    run: ({ breaks }) => {
      breaks.clear();
      return { value: { breaks: [] }, text: "no breaks" };
    },
  },
  {
    names: ["where", "w"],
    usage: "where",
    does: "the running functions, innermost first",
    run: ({ stepper: { next, trace } }) => {
      const stack = (next?.stack ?? trace.stack).map(describePlace);
      return { value: { stack }, text: stack.length === 0 ? "no source" : stack.join("\n") };
    },
  },
  {
    names: ["memory", "m"],
    usage: "memory AT LENGTH",
    does: "bytes of the contract's memory",
    run: async ({ stepper }, [at, length]) => {
      const { memory } = await stepper.snapshot();
      const [start, size] = [Number(at), Number(length)];
      const isInside = isCount(start) && isCount(size) && start + size <= memory.length;
      if (!isInside || size > MAX_SHOWN_BYTES) {
        return mistake(`memory has ${memory.length} bytes; at most ${MAX_SHOWN_BYTES} at once`);
      }
      const bytes = toHex(memory.subarray(start, start + size));
      return { value: { at: start, bytes }, text: bytes };
    },
  },
  {
    names: ["state", "s"],
    usage: "state",
    does: "what the call changed in the state so far",
    run: async ({ stepper }) => {
      const { changes } = await stepper.snapshot();
      const value = changes.map(({ contract, key, value: after }) => ({
        contract,
        key: toHex(key),
        value: after === null ? null : toHex(after),
      }));
      const lines = value.map(
        (each) => `${each.contract} ${each.key} := ${each.value ?? "deleted"}`,
      );
      return { value: { changes: value }, text: lines.join("\n") || "nothing" };
    },
  },
  {
    names: ["events", "e"],
    usage: "events",
    does: "what it emitted so far",
    run: async ({ stepper }) => {
      const { events } = await stepper.snapshot();
      const value = events.map(({ topic, data }) => ({ topic, data: toHex(data) }));
      const lines = value.map(({ topic, data }) => `${topic} ${data}`);
      return { value: { events: value }, text: lines.join("\n") || "nothing" };
    },
  },
  {
    names: ["list", "l"],
    usage: "list",
    does: "all calls of the host, and which is next",
    run: ({ stepper }) => {
      const hostCalls = stepper.trace.hostCalls.map(hostCallView);
      const lines = stepper.trace.hostCalls.map(
        (call, index) => `${index === stepper.position ? ">" : " "} ${index + 1} ${line(call)}`,
      );
      return { value: { hostCalls }, text: lines.join("\n") };
    },
  },
];

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** A count of steps, one where none is given, null where it is no count. */
function countOf(text: string | undefined): number | null {
  if (text === undefined) return 1;
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : null;
}

function moved(stepper: Stepper, count: number | null, direction: 1 | -1): Shown | null {
  if (count === null) return null;
  stepper.step(count * direction);
  return place(stepper);
}

function mistake(text: string): Shown {
  return { value: { mistake: text }, text };
}

/** What a break may be called for a call to stop there. */
function namesOf({ name, stack }: HostCall): readonly string[] {
  return [name, ...stack.map(({ file, line: number }) => `${file}:${number}`)];
}

/** A call of the host as one document. */
export function hostCallView({ name, detail, gas, gasLeft, at }: HostCall) {
  return { name, detail, gas, gasLeft, at: at && describePlace(at) };
}

function line({ name, detail, gas, at }: HostCall): string {
  return `${name} ${detail} (${gas} gas)${at === null ? "" : ` at ${describePlace(at)}`}`;
}

/** Where the walk stands: the call behind with its answer, the one ahead with its operands. */
function place({ position, trace, last, next }: Stepper): Shown {
  const total = trace.hostCalls.length;
  const ahead = next && {
    name: next.name,
    given: next.given,
    at: next.at && describePlace(next.at),
  };
  const value = { position, of: total, last: last && hostCallView(last), next: ahead };
  const end = `end: ${trace.status}`;
  const text = [
    ...(last === null ? [] : [`  ${line(last)}, ${last.gasLeft} left`]),
    `${position}/${total} ${ahead === null ? end : `next: ${ahead.name} ${ahead.given} at ${ahead.at}`}`,
  ];
  return {
    value: next === null ? { ...value, status: trace.status } : value,
    text: text.join("\n"),
  };
}

function help(): Shown {
  const value = commands.map(({ usage, does }) => ({ usage, does }));
  const lines = value.map(({ usage, does }) => `${usage.padEnd(24)}${does}`);
  return { value: { commands: value }, text: [...lines, "quit".padEnd(24)].join("\n") };
}

/** The lines of an input, which is left for good once no more are wanted: it may stay open. */
export async function* stepLines(input: Readable): AsyncGenerator<string> {
  try {
    yield* createInterface({ input });
  } finally {
    input.destroy();
  }
}

/** Commands from stdin, a prompt where a person types them. */
export function processTerminal({ out, err }: Streams, json: boolean): StepTerminal {
  return {
    lines: stepLines(process.stdin),
    show: (value, text) => out(json ? `${JSON.stringify(value)}\n` : `${text}\n`),
    ask: () => {
      if (process.stdin.isTTY) err("step> ");
    },
  };
}

/** Walks through a call as the terminal's lines say, until `quit` or the end of the lines. */
export async function walk(stepper: Stepper, terminal: StepTerminal): Promise<void> {
  const state: Walk = { stepper, breaks: new Set() };
  const show = ({ value, text }: Shown): void => terminal.show(value, text);
  show(place(stepper));
  terminal.ask();
  for await (const typed of terminal.lines) {
    const [name = "next", ...operands] = typed
      .trim()
      .split(/\s+/)
      .filter((word) => word !== "");
    if (name === "quit" || name === "q") return;
    const command = commands.find(({ names }) => names.includes(name));
    if (command === undefined) show(help());
    else show((await command.run(state, operands)) ?? mistake(`usage: ${command.usage}`));
    terminal.ask();
  }
}
