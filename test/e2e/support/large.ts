/**
 * Whether this is the long half of the suite: what the quick one cannot carry within its four
 * minutes. `.ci/run` sets the variable for the files that have a long half.
 */
export const isLarge = process.env.CREDLINK_E2E_LARGE === "1";
