import { test } from "vitest";
import { holdToNoble, RANDOM_SIGNATURES } from "../support/random-signatures.ts";

test(`S-9.6-1: noble agrees on ${RANDOM_SIGNATURES} random signatures, half a`, () =>
  holdToNoble(20261121));
