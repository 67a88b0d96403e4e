import type { KeyValueStore, Space } from "@credlink/ledger";
import { AppError } from "@credlink/primitives";
import type { DataFault } from "./mark.ts";

/** What reading a row of this node's own data fails with when the row is damaged. */
const damageCodes: ReadonlySet<string> = new Set([
  "LEDGER_STORE_CORRUPT",
  "NODE_STORAGE_CORRUPT",
  "VM_STATE_CORRUPT",
]);

/** The error in an error's chain of causes that says that own data are damaged. */
export function damageBehind(error: unknown): AppError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof AppError && damageCodes.has(cause.code)) return cause;
  }
  return undefined;
}

/** An error as a fault of the data; null when it says nothing about them. */
export function faultBehind(error: unknown, space?: Space, key?: Uint8Array): DataFault | null {
  const damage = damageBehind(error);
  if (damage === undefined) return null;
  const place = {
    ...(space === undefined ? {} : { space }),
    ...(key === undefined ? {} : { key }),
  };
  return { code: damage.code, ...place, detail: damage.message };
}

/**
 * Notices when anybody reads a damaged row of this node's data, whatever the reader makes of it: it
 * stands around the database and what decodes its rows, and passes everything on.
 */
export interface DamageWatch {
  /** The same database; a damaged row is told with its place. */
  store(store: KeyValueStore): KeyValueStore;
  /** The same object; what its methods throw, or reject with, is looked at. */
  over<T extends object>(target: T): T;
  /** Told of the first damage, also when it was met before. */
  onDamage(listener: (fault: DataFault) => void): void;
}

/** Makes the watch of one node. */
export function createDamageWatch(): DamageWatch {
  let first: DataFault | null = null;
  let listener: ((fault: DataFault) => void) | undefined;
  const look = (error: unknown, space?: Space, key?: Uint8Array): void => {
    if (first !== null) return;
    first = faultBehind(error, space, key);
    if (first !== null) listener?.(first);
  };
  /** Runs a read; its failure is looked at before anybody else hears of it. */
  const looking = <R>(read: () => R, space?: Space, key?: Uint8Array): R => {
    try {
      const result = read();
      if (result instanceof Promise) result.catch((error: unknown) => look(error, space, key));
      return result;
    } catch (error) {
      look(error, space, key);
      throw error;
    }
  };
  return {
    store: (store) => ({
      get: (space, key) => looking(() => store.get(space, key), space, key),
      getMany: (space, keys) => looking(() => store.getMany(space, keys), space),
      range: (space, options) => looking(() => store.range(space, options), space, options.from),
      write: (operations, options) => looking(() => store.write(operations, options)),
      close: () => store.close(),
    }),
    over: (target) => watchMethods(target, looking),
    onDamage(told) {
      listener = told;
      if (first !== null) told(first);
    },
  };
}

/** An object whose methods run inside `around`; properties and `this` are the target's own. */
function watchMethods<T extends object>(target: T, around: <R>(run: () => R) => R): T {
  const methods = new Map<string | symbol, (...args: readonly unknown[]) => unknown>();
  return new Proxy(target, {
    get(_, name) {
      const known = methods.get(name);
      if (known !== undefined) return known;
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      const method = (...args: readonly unknown[]) =>
        around((): unknown => Reflect.apply(value, target, args));
      methods.set(name, method);
      return method;
    },
  });
}
