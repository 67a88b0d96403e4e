import type { Manifest } from "@credlink/contracts-vm";
import type { Match } from "../finding.ts";
import type { ManifestPattern } from "../rules.ts";

/** Everything in a manifest that a pattern is about. */
export function matchManifest(pattern: ManifestPattern, manifest: Manifest): readonly Match[] {
  if (pattern.kind === "memory-pages") {
    const { maxMemoryPages } = manifest;
    const at = { kind: "manifest", field: "maxMemoryPages" } as const;
    return maxMemoryPages > pattern.max ? [{ at, detail: `${maxMemoryPages} pages` }] : [];
  }
  return manifest.methods
    .filter(({ readOnly }) => readOnly === pattern.readOnly)
    .flatMap(({ name, roles }) =>
      roles
        .filter((role) => pattern.roles.includes(role))
        .map((role) => ({
          at: { kind: "manifest", field: `methods.${name}.roles` } as const,
          detail: `${name}: ${role}`,
        })),
    );
}
