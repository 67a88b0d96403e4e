import { toHex } from "@credlink/primitives";
import { weierstrass } from "@noble/curves/abstract/weierstrass.js";
import { sm2 as smCrypto } from "sm-crypto";
import { sm3 } from "../../src/pure/sm3.ts";
import { bytesToNumber, SM2_CURVE, zInput } from "../../src/sm2-curve.ts";

const { n } = SM2_CURVE;
const Point = weierstrass(SM2_CURVE);
type CurvePoint = InstanceType<typeof Point>;
Point.BASE.precompute(8, false);

/** One question put to every implementation. */
export interface Case {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** Seeded generator, so that the mutations of a failing run can be repeated. */
export function createSeeded(seed: number): (exclusiveMax: number) => number {
  let state = seed >>> 0;
  return (exclusiveMax) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % exclusiveMax;
  };
}

const tables = new Map<string, CurvePoint | undefined>();

function tableOf(publicKey: Uint8Array): CurvePoint | undefined {
  const name = toHex(publicKey);
  if (tables.has(name)) return tables.get(name);
  let point: CurvePoint | undefined;
  try {
    point = publicKey.length === 65 ? Point.fromBytes(publicKey).precompute(8, false) : undefined;
  } catch {
    point = undefined;
  }
  tables.set(name, point);
  return point;
}

/**
 * GB/T 32918.2 §7.1 written down again over noble's points, apart from the code under test, with
 * a table for every key that is asked about often.
 */
export function nobleVerify({ publicKey, message, signature }: Case): boolean {
  if (signature.length !== 64) return false;
  const r = bytesToNumber(signature.subarray(0, 32));
  const s = bytesToNumber(signature.subarray(32));
  if (r < 1n || r >= n || s < 1n || s >= n || (r + s) % n === 0n) return false;
  const key = tableOf(publicKey);
  if (key === undefined) return false;
  const z = sm3(zInput(publicKey));
  const e = bytesToNumber(sm3(Uint8Array.from([...z, ...message])));
  const sum = Point.BASE.multiplyUnsafe(s).add(key.multiplyUnsafe((r + s) % n));
  return !sum.is0() && (e + sum.x) % n === r;
}

/**
 * sm-crypto's answer; what makes it throw is not a signature. It also takes points in
 * compressed (02, 03) and hybrid (06, 07) form; the protocol knows one form only, so sm-crypto is
 * asked about that one alone, and the two doors and noble about all of them.
 */
export function smCryptoVerify({ publicKey, message, signature }: Case): boolean {
  if (signature.length !== 64 || publicKey[0] !== 4) return false;
  try {
    return smCrypto.doVerifySignature([...message], toHex(signature), toHex(publicKey), {
      hash: true,
    });
  } catch {
    return false;
  }
}

/** Printed when two implementations disagree. */
export function describeCase({ publicKey, message, signature }: Case): string {
  return `key ${toHex(publicKey)} message ${toHex(message)} signature ${toHex(signature)}`;
}
