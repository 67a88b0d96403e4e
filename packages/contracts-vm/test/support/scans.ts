import type { ScanDeclaration } from "@credlink/ledger";
import { digest } from "@credlink/primitives";

/** What an organisation declares of a scan with that many high findings. */
export const scanWith = (high: number, report = high): ScanDeclaration => ({
  ruleSet: digest(new Uint8Array(32).fill(5)),
  report: digest(new Uint8Array(32).fill(report)),
  high,
});

export const cleanScan = scanWith(0);
