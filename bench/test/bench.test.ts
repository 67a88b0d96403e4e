import { readEvidence } from "@credlink/client";
import { judgeDeployment } from "@credlink/contracts-vm";
import { describe, expect, it } from "vitest";
import { personOf } from "../src/enrol.ts";
import { largeContract } from "../src/large-contract.ts";
import {
  parseEnrolOptions,
  parseQueryOptions,
  parseSm2Options,
  parseTpsOptions,
  parseTransportOptions,
  parseVerifyOnceOptions,
  parseVmOptions,
  UsageError,
} from "../src/options.ts";
import { readProcessUsage } from "../src/process-usage.ts";
import { percentile, percentiles } from "../src/statistics.ts";
import { runTransport } from "../src/transport.ts";
import { runVerifyOnce } from "../src/verify-once.ts";

describe("percentiles", () => {
  it("are nearest ranks of the sorted sample", () => {
    const sample = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentiles(sample)).toEqual({ p50: 50, p95: 95, p99: 99, max: 100 });
  });

  it("of one value are that value, of none zero", () => {
    expect(percentiles([7])).toEqual({ p50: 7, p95: 7, p99: 7, max: 7 });
    expect(percentiles([])).toEqual({ p50: 0, p95: 0, p99: 0, max: 0 });
    expect(percentile([1, 2], 1)).toBe(2);
  });
});

describe("options", () => {
  it("have defaults", () => {
    expect(parseTpsOptions([])).toEqual({
      validators: 4,
      duration: 30,
      rate: 400,
      senders: 4,
      kind: "bill.insurance",
      json: false,
    });
  });

  it.each([["--rate", "0"], ["--rate", "x"], ["--kind", "none"], ["--nothing"], ["--rate"]])(
    "refuse %s %s",
    (...args) => {
      expect(() => parseTpsOptions(args.filter((arg) => arg !== undefined))).toThrow(UsageError);
    },
  );
});

describe("options of query", () => {
  it("have defaults, and refuse what cannot be", () => {
    expect(parseQueryOptions([])).toEqual({ records: 100_000, samples: 500, json: false });
    for (const args of [
      ["--samples", "100001"],
      ["--records", "0"],
      ["--rate", "3"],
    ]) {
      expect(() => parseQueryOptions(args)).toThrow(UsageError);
    }
  });
});

describe("verify-once", () => {
  it("has defaults, and refuses what cannot be", () => {
    expect(parseVerifyOnceOptions([])).toEqual({ transactions: 2_000, rounds: 7, json: false });
    for (const args of [
      ["--transactions", "0"],
      ["--rounds", "x"],
      ["--records", "3"],
    ]) {
      expect(() => parseVerifyOnceOptions(args)).toThrow(UsageError);
    }
  });

  it("verifies what it meets for the first time, and nothing that it remembers", async () => {
    const options = { transactions: 9, rounds: 2, json: false };
    const report = await runVerifyOnce(options, () => undefined);
    expect(report).toMatchObject({ verified: { firstSight: 18, remembered: 0 }, rounds: 2 });
    expect(report.firstSightUs).toBeGreaterThan(0);
  });
});

describe("options of sm2", () => {
  it("have defaults, and refuse what cannot be", () => {
    expect(parseSm2Options([])).toEqual({ rounds: 15, json: false });
    expect(() => parseSm2Options(["--rounds", "1.5"])).toThrow(UsageError);
  });
});

describe("transport", () => {
  it("has defaults, and refuses what cannot be", () => {
    expect(parseTransportOptions([])).toEqual({ rounds: 15, json: false });
    expect(() => parseTransportOptions(["--rounds", "0"])).toThrow(UsageError);
  });

  it("measures both suites, and none, at every size", async () => {
    const { suites, gmAgainstNoise } = await runTransport({ rounds: 1, json: false }, 0);
    expect(suites.plain.handshakeMs).toBeNull();
    for (const { handshakeMs, mebibytesPerSecond } of [suites.noise, suites.gm]) {
      expect(handshakeMs).toBeGreaterThan(0);
      expect(Object.values(mebibytesPerSecond).every((each) => each > 0)).toBe(true);
    }
    expect(Object.keys(gmAgainstNoise.message)).toHaveLength(5);
  });
});

describe("options of vm", () => {
  it("have defaults, and refuse what cannot be", () => {
    expect(parseVmOptions([])).toEqual({ rounds: 100, against: null, json: false });
    expect(() => parseVmOptions(["--rounds", "0"])).toThrow(UsageError);
  });
});

describe("a contract of any size", () => {
  it("is installable, and no larger than asked for", () => {
    for (const sizeBytes of [4_096, 200 * 1024]) {
      const large = largeContract(sizeBytes);
      expect(judgeDeployment(large)).toMatchObject({ ok: true });
      expect(large.code.length).toBeGreaterThan(0.9 * sizeBytes - 512);
      expect(large.code.length).toBeLessThanOrEqual(sizeBytes);
    }
  });
});

describe("usage of a process", () => {
  it("counts processor time and memory of this one", () => {
    const before = readProcessUsage(process.pid);
    let sum = 0;
    const until = performance.now() + 60;
    while (performance.now() < until) sum += Math.sqrt(sum + 1);
    const after = readProcessUsage(process.pid);
    if (before === null || after === null) return expect(process.platform).not.toBe("linux");
    expect(sum).toBeGreaterThan(0);
    expect(after.cpuMs - before.cpuMs).toBeGreaterThan(0);
    expect(after.peakMemoryBytes).toBeGreaterThan(10_000_000);
  });

  it("knows no process that is not there", () => {
    expect(readProcessUsage(2 ** 30)).toBeNull();
  });
});

describe("enrol", () => {
  it("has defaults, and refuses fewer than its parts", () => {
    const defaults = { members: 100_000, validators: 1, json: false };
    expect(parseEnrolOptions([])).toEqual(defaults);
    expect(parseEnrolOptions(["--members", "10"])).toMatchObject({ members: 10 });
    for (const members of ["9", "0", "x"]) {
      expect(() => parseEnrolOptions(["--members", members])).toThrow(UsageError);
    }
  });

  it("S-11.4-2a: makes people whose numbers have valid checks", () => {
    for (const index of [0, 999, 1_000, 27_999, 28_000, 99_999, 1_119_999, 1_120_000]) {
      const { kind, value, reference } = personOf(index);
      expect(readEvidence(kind, value, 0)).toBe(value);
      expect(reference).toBe(`person-${index}`);
    }
  });
});
