import * as browser from "../../src/browser.ts";
import * as node from "../../src/index.ts";

/** What both doors export. */
export type Door = typeof browser;

/** The doors that the compliance suite holds to one behaviour. */
export const doors: readonly (readonly [string, Door])[] = [
  ["node", node],
  ["browser", browser],
];

/** The value of a result that must be good. */
export function good<T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly code: string },
): T {
  if (!result.ok) throw new Error(result.code);
  return result.value;
}

/** The code of a refusal; "accepted" when it was none. */
export function codeOf(result: { readonly ok: boolean; readonly code?: string }): string {
  return result.ok ? "accepted" : (result.code ?? "no code");
}

/** The code that `run` throws; "nothing" when it throws nothing. */
export async function thrownCode(run: () => unknown): Promise<string> {
  try {
    await run();
    return "nothing";
  } catch (error) {
    return error instanceof node.CryptoError ? error.code : `other: ${String(error)}`;
  }
}
