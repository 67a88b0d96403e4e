import { enrollArgsCodec, setMemberStatusArgsCodec } from "@credlink/ledger";
import { encode, utf8 } from "@credlink/primitives";
import {
  assemble,
  type Code,
  call,
  contractOf,
  END,
  get,
  I32,
  i32,
  manifestOf,
  NAME,
  set,
  VERSION,
} from "./assembler.ts";
import { createConsortium, issue } from "./consortium.ts";
import type { Scenario, ScenarioTransaction } from "./scenario.ts";

const put: Code = [i32(0), call(0), i32(0), i32(4), i32(4), i32(4), call(1)];
const recurse: Code = call(8);
const harmful: Readonly<Record<string, Code>> = {
  loop: [0x03, 0x40, 0x0c, 0, END],
  recurse: [recurse],
  outside: [i32(-1), 0x28, 2, 0, 0x1a],
  divide: [i32(1), i32(0), 0x6e, 0x1a],
  grow: [0x03, 0x40, i32(1), 0x40, 0, i32(-1), 0x47, 0x0d, 0, END],
};

/** A contract that stores its arguments, lists them, and can misbehave in every way. */
function contract() {
  const list: Code = [
    i32(64),
    i32(0),
    i32(68),
    i32(4),
    i32(256),
    call(2),
    set(0),
    i32(0),
    call(3),
    i32(0),
    get(0),
    call(4),
  ];
  const code = assemble({
    imports: ["input_read", "state_put", "state_range", "buffer_read", "return_value", "event"],
    functions: [
      { name: "put", code: [put, i32(0), i32(4), i32(4), i32(4), call(5)] },
      { name: "list", locals: [[1, I32]], code: list },
      { code: recurse },
      ...Object.entries(harmful).map(([name, body]) => ({ name, code: body })),
    ],
    data: [[68, Uint8Array.of(0xff, 0xff, 0xff, 0xff)]],
  });
  return contractOf(code, manifestOf(["put", "list", ...Object.keys(harmful)]));
}

/** Blocks of calls, good and harmful ones, on a chain of keys made for it. */
export async function harmScenario(): Promise<Scenario> {
  const consortium = await createConsortium({ contracts: [contract()] });
  const [alpha] = consortium.organizations;
  const [admin] = consortium.admins;
  if (alpha === undefined || admin === undefined) throw new Error("no organisation");
  const worker = await issue(alpha, "individual", "worker");
  let count = 0;
  const transaction = (
    method: string,
    args: Uint8Array = new Uint8Array(0),
  ): ScenarioTransaction => {
    const id = new Uint8Array(32);
    id.set(utf8(`transaction ${++count}`));
    return {
      id,
      signers: [consortium.institution.address],
      contract: NAME,
      version: VERSION,
      method,
      args,
      gasLimit: 2_000_000,
    };
  };
  const members = (method: string, args: Uint8Array): ScenarioTransaction => ({
    ...transaction(method, args),
    signers: [admin.address],
    contract: "members",
    version: "1.0.0",
    gasLimit: 10_000_000,
  });
  const enroll = encode(enrollArgsCodec, { certificates: [worker.certificate.der] });
  const revoke = encode(setMemberStatusArgsCodec, { address: worker.address, status: "revoked" });
  const puts = ["aaaa1111", "cccc2222", "bbbb3333"].map((text) => transaction("put", utf8(text)));
  return {
    genesis: consortium.genesis,
    blocks: [
      [...puts, transaction("list"), members("enroll", enroll)],
      [transaction("list"), ...Object.keys(harmful).map((name) => transaction(name))],
      [members("setStatus", revoke), transaction("put", utf8("aaaa9999")), transaction("list")],
    ],
  };
}
