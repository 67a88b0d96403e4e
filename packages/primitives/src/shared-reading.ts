/** Whether what one node read is handed to the others of this process. */
let isShared = false;

/** What a simulator says once; no node does. */
export function shareReadings(shared: boolean): void {
  isShared = shared;
}

/**
 * A pure function of an object that is never changed. Every node computes it afresh; in a
 * simulation, where the nodes of one process are handed the very same bytes, the first computes it
 * and all have the result, which nobody may change either.
 */
export function sharedReading<Input extends object, Output>(
  read: (input: Input) => Output,
): (input: Input) => Output {
  const known = new WeakMap<Input, { readonly output: Output }>();
  return (input) => {
    if (!isShared) return read(input);
    const before = known.get(input);
    if (before !== undefined) return before.output;
    const output = read(input);
    known.set(input, { output });
    return output;
  };
}
