import { type ChildProcess, spawn } from "node:child_process";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../../..");
const entry = join(root, "packages/cli/src/main.ts");

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `credlink` as a process of its own, exactly as `pnpm credlink` does. */
export function spawnCredlink(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ["--conditions=source", entry, ...args], {
    cwd: root,
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/** Runs `credlink` to its end. */
export async function credlink(...args: readonly string[]): Promise<Finished> {
  const child = spawnCredlink(args);
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk) => {
    stdout += String(chunk);
  });
  child.stderr?.on("data", (chunk) => {
    stderr += String(chunk);
  });
  const code = await new Promise<number | null>((done) => child.once("close", done));
  return { code, stdout, stderr };
}

/** Runs `credlink … --json`, which must print exactly one document, and returns it. */
export async function credlinkJson(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly value: Json; readonly stderr: string }> {
  const { code, stdout, stderr } = await credlink(...args, "--json");
  try {
    return { code, value: new Json(JSON.parse(stdout)), stderr };
  } catch (cause) {
    const message = `stdout is not one JSON document: ${stdout.slice(0, 500)} ${stderr.slice(-800)}`;
    throw new Error(message, { cause });
  }
}

/** A JSON document that tests walk without knowing its type. */
export class Json {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }

  at(...path: readonly (string | number)[]): Json {
    let place = this.value;
    for (const step of path) {
      place =
        typeof place === "object" && place !== null
          ? (place as Record<string, unknown>)[String(step)]
          : undefined;
    }
    return new Json(place);
  }

  get text(): string {
    if (typeof this.value !== "string") throw new Error(`not text: ${JSON.stringify(this.value)}`);
    return this.value;
  }

  get number(): number {
    if (typeof this.value !== "number") throw new Error(`no number: ${JSON.stringify(this.value)}`);
    return this.value;
  }

  get list(): readonly Json[] {
    if (!Array.isArray(this.value)) throw new Error(`not a list: ${JSON.stringify(this.value)}`);
    return this.value.map((item) => new Json(item));
  }
}
