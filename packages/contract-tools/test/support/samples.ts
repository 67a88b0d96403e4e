import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { HOST_ABI, type Manifest } from "@credlink/contracts-vm";
import { type MemberRole, memberRoles } from "@credlink/ledger";
import binaryen from "assemblyscript/binaryen";
import { type ScanTarget, sdkTexts, withVersion } from "../../src/index.ts";

/** One piece of code with a planted fault, or one that only looks like it. */
export interface Sample {
  readonly ruleId: string;
  readonly isBug: boolean;
  readonly title: string;
  readonly target: ScanTarget;
}

const folder = join(import.meta.dirname, "../samples");
const prelude =
  "import { allocate, answer, ascii, blockHeight, blockTimeMs, call, caller, demand, emit, input, " +
  "isAscii, isEqual32, Reader, revert, Signers, Slice, sm2Verify, sm3, StateMap, Writer } " +
  'from "./sdk/index";\n';

/** Every sample of test/samples: `# rule`, `## bug: title` or `## clean: title`, a code block. */
export function loadSamples(): readonly Sample[] {
  return readdirSync(folder).flatMap((name) => samplesOf(readFileSync(join(folder, name), "utf8")));
}

function samplesOf(text: string): readonly Sample[] {
  return text
    .split(/^# /m)
    .slice(1)
    .flatMap((section) => {
      const ruleId = section.slice(0, section.indexOf("\n")).trim();
      const blocks = section.matchAll(
        /^## (bug|clean): (.*)\n```(ts|wat)([^\n]*)\n([\s\S]*?)^```$/gm,
      );
      return [...blocks].map(
        ([, kind = "", title = "", language = "", options = "", code = ""]) => ({
          ruleId,
          isBug: kind === "bug",
          title,
          target: targetOf(language, optionsOf(options), code),
        }),
      );
    });
}

function optionsOf(text: string): ReadonlyMap<string, string> {
  const words = text.trim().split(" ").filter(Boolean);
  return new Map(
    words.map((word) => {
      const at = word.indexOf("=");
      return [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}

function targetOf(
  language: string,
  options: ReadonlyMap<string, string>,
  code: string,
): ScanTarget {
  const exported =
    language === "ts" ? /^export function (\w+)/gm : /\(func (?:\$\w+ )?\(export "(\w+)"\)/g;
  const all = [...code.matchAll(exported)].map(([, name = ""]) => name);
  const manifest = manifestOf(options.get("methods")?.split(",") ?? all, options);
  const version = options.get("version") ?? "sample@1.0.0";
  if (language === "wat") {
    const module = assembleText(code);
    return {
      manifest,
      sources: null,
      code: version === "none" ? module : withVersion(module, version),
    };
  }
  const constant = version === "none" ? "" : `const CONTRACT_VERSION: string = "${version}";\n`;
  const text = code.startsWith("import ") ? code : prelude + constant + code;
  const files = new Map(
    [...sdkTexts()].map(([name, content]) => [`assembly/sdk/${name}`, content]),
  );
  const [file = "", from = "", to = ""] = options.get("sdk")?.split(":") ?? [];
  const path = `assembly/sdk/${file}`;
  if (file !== "") files.set(path, files.get(path)?.replaceAll(from, to) ?? "");
  files.set("assembly/index.ts", text);
  const reader = { read: (name: string) => files.get(name) ?? null };
  return { manifest, sources: { reader, entry: "assembly/index.ts" }, code: null };
}

function manifestOf(methods: readonly string[], options: ReadonlyMap<string, string>): Manifest {
  const readOnly = options.get("readonly")?.split(",") ?? [];
  const wanted = options.get("roles") ?? "institution";
  const roles: readonly MemberRole[] =
    wanted === "all" ? memberRoles : memberRoles.filter((role) => wanted.split(",").includes(role));
  return {
    name: "sample",
    version: "1.0.0",
    abi: HOST_ABI,
    maxMemoryPages: Number(options.get("pages") ?? "16"),
    methods: methods.map((name) => ({ name, readOnly: readOnly.includes(name), roles })),
    calls: options.get("calls")?.split(",") ?? [],
  };
}

/** A module from its text, whatever features it uses: refusing them is what is tested. */
export function assembleText(text: string): Uint8Array {
  const module = binaryen.parseText(text);
  module.setFeatures(binaryen.Features.All);
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}
