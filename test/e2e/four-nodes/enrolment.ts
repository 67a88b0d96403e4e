import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identityNumberCheck } from "@credlink/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { credlinkJson, type Json } from "../support/command.ts";
import { network } from "./network.ts";

const PEOPLE = 230;
const BAD = 3;

/** The identity number of the person of so many. */
function numberOf(index: number): string {
  const body = `11010519900101${String(index % 1_000).padStart(3, "0")}`;
  return `${body}${identityNumberCheck(body)}`;
}

const rowOf = (reference: string, value: string): string =>
  JSON.stringify({ reference, kind: "identity-card", value });

/** Individuals that an institution enrols by a list, and one that then binds its own key. */
export function describeEnrolment(): void {
  describe("individuals enrolled by a list", () => {
    let dir: string;
    let enrolment: readonly string[];
    const at = (name: string): string => join(dir, name);
    const linesOf = (name: string): readonly Record<string, unknown>[] =>
      readFileSync(at(name), "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line));

    async function done(...args: readonly string[]): Promise<Json> {
      const { code, value, stderr } = await credlinkJson(...args);
      expect(code, stderr).toBe(0);
      return value;
    }
    const enrol = (out: string): Promise<Json> =>
      done(
        ...["member", "enroll-list", "--network", network.dir, "--as", "org-1/service-centre"],
        ...["--file", at("people.jsonl"), "--out", at(out), ...enrolment],
      );

    beforeAll(() => {
      dir = mkdtempSync(join(tmpdir(), "credlink-enrol-"));
      writeFileSync(at("password"), "the enrolment key's\n");
      writeFileSync(at("own.password"), "the person's\n");
      enrolment = [
        ...["--enrolment-key", at("enrolment.key")],
        ...["--enrolment-password-file", at("password")],
      ];
      const people = Array.from({ length: PEOPLE }, (_, i) => rowOf(`no-${i}`, numberOf(i)));
      people.splice(7, 0, "not a row", rowOf("no-bad", "110105199001010000"));
      people.push(rowOf("no-3", numberOf(4)));
      writeFileSync(at("people.jsonl"), `${people.join("\n")}\n`);
    });
    afterAll(() => rmSync(dir, { recursive: true, force: true }));

    it("S-11.4-2a: each row ends in one file, once; again changes nothing", async () => {
      const first = await enrol("run");
      const counts = { complete: true, lines: PEOPLE + BAD, enrolled: PEOPLE, present: 0 };
      expect(first.value).toMatchObject({ ...counts, rejected: BAD });
      expect(linesOf("run/rejects.jsonl")).toEqual([
        { line: 8, reference: null, code: "CLI_ROW_MALFORMED" },
        { line: 9, reference: "no-bad", code: "CLIENT_EVIDENCE_INVALID" },
        { line: PEOPLE + BAD, reference: "no-3", code: "CLI_ROW_DIFFERS" },
      ]);
      const results = linesOf("run/results.jsonl");
      expect(new Set(results.map(({ address }) => address)).size).toBe(PEOPLE);
      const again = await enrol("run");
      expect(again.value).toMatchObject({ ...counts, rejected: BAD });
      expect(linesOf("run/results.jsonl")).toEqual(results);
      const elsewhere = await enrol("another");
      const found = { enrolled: 0, present: PEOPLE, rejected: BAD };
      expect(elsewhere.value).toMatchObject(found);
    });

    it("T-4.5-1: one of them binds a key that never leaves it, and is active", async () => {
      const genesis = ["--genesis", join(network.dir, "genesis.bin")];
      const person = ["--reference", "no-5", ...enrolment, ...genesis];
      const handed = await done("member", "hand-out", ...person, "--out", at("enrolment.json"));
      const address = String(handed.at("address").value);
      expect(linesOf("run/results.jsonl").map((each) => each.address)).toContain(address);

      writeFileSync(at("value"), numberOf(5));
      const shown = ["--kind", "identity-card", "--value-file", at("value")];
      await done("member", "evidence", ...person, ...shown, "--out", at("evidence.json"));
      const member = ["--network", network.dir];
      const checked = await done("member", "check-evidence", at("evidence.json"), ...member);
      expect(checked.value).toMatchObject({ address, verified: true });

      const own = ["--key", at("own.key"), "--password-file", at("own.password")];
      await done(
        ...["member", "binding", "--enrolment", at("enrolment.json"), ...own, ...genesis],
        ...["--out", at("binding.json")],
      );
      const bind = ["member", "bind", "--binding", at("binding.json")];
      const bound = await done(...bind, ...member, "--as", "org-2/admin");
      expect(bound.value).toMatchObject({ address, status: "active" });
      const again = await credlinkJson(...bind, ...member);
      expect(again.code).toBe(3);
      expect(again.stderr + JSON.stringify(again.value.value)).toContain("MEMBERS_KEY_BOUND");

      const rpc = ["--rpc", network.node("node-1").rpc, ...genesis];
      const itself = await done("member", "show", ...rpc, ...own, "--address", address);
      expect(itself.value).toMatchObject({ address, status: "active", role: "individual" });
      expect(itself.at("keys").value).toHaveLength(1);
    });
  });
}
