import { sdkTexts } from "../scan/sdk.ts";

/** Reserved words of TypeScript, and AssemblyScript's own types. @see ECMA-262 §12.7.2 */
const WORDS =
  "await break case catch class const continue debugger default delete do else enum export extends false " +
  "finally for function if implements import in instanceof interface let new null package private " +
  "protected public return static super switch this throw true try typeof var void while with yield " +
  "any array bool boolean f32 f64 i8 i16 i32 i64 isize never number object string symbol u8 u16 u32 " +
  "u64 undefined unknown usize v128";

/** What generated sources call things themselves. */
const OWN =
  "allow bytes constructor hasRole id isOfOrganization keyOf memory organization owner readArguments " +
  "reader sender signers stored who writer";

/**
 * Names that neither a method nor a field nor the record of a policy may have: a generated source
 * that used one would not compile, or would mean something else.
 */
export function reservedNames(): ReadonlySet<string> {
  const index = sdkTexts().get("index.ts") ?? "";
  const exported = [...index.matchAll(/export \{([^}]*)\}/g)].flatMap(([, names = ""]) =>
    names.split(",").map((name) => name.trim()),
  );
  const sdk = exported.flatMap((name) => [name, name.charAt(0).toLowerCase() + name.slice(1)]);
  return new Set([...WORDS.split(" "), ...OWN.split(" "), ...sdk]);
}
