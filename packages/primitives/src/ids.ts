import { bytes, type Codec, mapCodec, u32, u53 } from "./codec.ts";

declare const brand: unique symbol;

/** A value of type `T` that only its own constructor or decoder hands out. */
export type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** Position of a block in the chain; genesis is 0. */
export type Height = Branded<number, "Height">;
/** Attempt at one height; 0 is the first. At most 2^31. */
export type View = Branded<number, "View">;
/** Position in the validator list of one height; means nothing at another. */
export type ValidatorIndex = Branded<number, "ValidatorIndex">;
/** SM3 digest, 32 bytes. */
export type Digest = Branded<Uint8Array, "Digest">;
/** SM3 over the domain and a member's first public key, 32 bytes; valid for life. */
export type Address = Branded<Uint8Array, "Address">;

export const DIGEST_BYTES = 32;
export const ADDRESS_BYTES = 32;
/** Largest view that is ever accepted: an unbounded view lets a peer grow our memory. */
export const MAX_VIEW = 2 ** 31;

/** @throws RangeError unless `value` is a safe integer from 0. */
export function height(value: number): Height {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a height: ${value}`);
  return value as Height;
}

/** @throws RangeError unless `value` is an integer from 0 to `MAX_VIEW`. */
export function view(value: number): View {
  if (!Number.isSafeInteger(value) || value < 0 || value > MAX_VIEW) {
    throw new RangeError(`not a view: ${value}`);
  }
  return value as View;
}

/** @throws RangeError unless `value` is an integer from 0 below 2^16. */
export function validatorIndex(value: number): ValidatorIndex {
  if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** 16) {
    throw new RangeError(`not a validator index: ${value}`);
  }
  return value as ValidatorIndex;
}

/** @throws RangeError unless `value` has 32 bytes. */
export function digest(value: Uint8Array): Digest {
  if (value.length !== DIGEST_BYTES) throw new RangeError(`a digest has ${DIGEST_BYTES} bytes`);
  return value as Digest;
}

/** @throws RangeError unless `value` has 32 bytes. */
export function address(value: Uint8Array): Address {
  if (value.length !== ADDRESS_BYTES) throw new RangeError(`an address has ${ADDRESS_BYTES} bytes`);
  return value as Address;
}

export const heightCodec: Codec<Height> = mapCodec(u53, height, (value) => value);
export const viewCodec: Codec<View> = mapCodec(u32, view, (value) => value);
export const validatorIndexCodec: Codec<ValidatorIndex> = mapCodec(
  u32,
  validatorIndex,
  (value) => value,
);
export const digestCodec: Codec<Digest> = mapCodec(bytes(DIGEST_BYTES), digest, (value) => value);
export const addressCodec: Codec<Address> = mapCodec(
  bytes(ADDRESS_BYTES),
  address,
  (value) => value,
);
