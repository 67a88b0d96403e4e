import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sdkFolder } from "@credlink/contracts";

let texts: ReadonlyMap<string, string> | null = null;

/** The SDK's files by name. */
export function sdkTexts(): ReadonlyMap<string, string> {
  texts ??= new Map(
    readdirSync(sdkFolder)
      .filter((name) => name.endsWith(".ts"))
      .map((name) => [name, readFileSync(join(sdkFolder, name), "utf8")]),
  );
  return texts;
}

const SDK_FOLDER = /(?:^|\/)sdk\//;

/** Whether a file lies where the SDK does. */
export function isInSdkFolder(path: string): boolean {
  return SDK_FOLDER.test(path);
}

/**
 * Whether a file is one of this release's SDK, which is trusted. Its text says so: where it lies is
 * its author's choice, and code in an `sdk` folder is judged as any other.
 */
export function isSdkFile({
  path,
  text,
}: {
  readonly path: string;
  readonly text: string;
}): boolean {
  return isInSdkFolder(path) && sdkTexts().get(path.replace(/^.*\/sdk\/|^sdk\//, "")) === text;
}
