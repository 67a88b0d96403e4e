import { toHex, utf8 } from "@credlink/primitives";
import type { KeyValueStore, WriteOperation } from "./store.ts";

/** What the suite needs of a test runner; vitest's own functions fit. */
export interface TestRunner {
  describe(name: string, body: () => void): void;
  it(name: string, body: () => Promise<void>): void;
  expect(actual: unknown): { toEqual(expected: unknown): void };
}

const put = (key: string, value: string, space: WriteOperation["space"] = "state") =>
  ({ type: "put", space, key: utf8(key), value: utf8(value) }) as const;
const remove = (key: string) => ({ type: "delete", space: "state", key: utf8(key) }) as const;

/**
 * What every `KeyValueStore` must do. `create` hands out an empty store; `reopen`, where a store
 * outlives its process, closes one and opens it again.
 */
export function keyValueStoreCompliance(
  name: string,
  create: () => Promise<KeyValueStore>,
  { describe, it, expect }: TestRunner,
  reopen?: (store: KeyValueStore) => Promise<KeyValueStore>,
): void {
  const withStore = (title: string, body: (store: KeyValueStore) => Promise<void>) =>
    it(title, async () => {
      const store = await create();
      try {
        await body(store);
      } finally {
        await store.close();
      }
    });
  const text = (value: Uint8Array | null) => (value === null ? null : toHex(value));
  const keys = async (store: KeyValueStore, options: Parameters<KeyValueStore["range"]>[1]) =>
    (await store.range("state", options)).map(([key]) => String.fromCharCode(...key));

  describe(`${name}: KeyValueStore`, () => {
    withStore("S-9.3-1: returns what was written, and null for what was not", async (store) => {
      await store.write([put("a", "1")], { sync: true });
      expect(text(store.get("state", utf8("a")))).toEqual(toHex(utf8("1")));
      expect(store.get("state", utf8("b"))).toEqual(null);
      const many = await store.getMany("state", [utf8("b"), utf8("a"), utf8("a")]);
      expect(many.map(text)).toEqual([null, toHex(utf8("1")), toHex(utf8("1"))]);
      expect(await store.getMany("state", [])).toEqual([]);
    });

    withStore("keeps spaces apart, also in ranges", async (store) => {
      await store.write([put("k", "state"), put("k", "pages", "pages")], { sync: false });
      expect(text(store.get("pages", utf8("k")))).toEqual(toHex(utf8("pages")));
      expect(store.get("blocks", utf8("k"))).toEqual(null);
      expect((await store.range("state", {})).length).toEqual(1);
      expect((await store.range("history", {})).length).toEqual(0);
    });

    withStore("applies a batch in order: the last write of a key counts", async (store) => {
      await store.write([put("a", "1"), remove("a"), put("b", "1"), put("b", "2")], { sync: true });
      expect(store.get("state", utf8("a"))).toEqual(null);
      expect(text(store.get("state", utf8("b")))).toEqual(toHex(utf8("2")));
      await store.write([remove("b"), remove("never there")], { sync: true });
      expect(store.get("state", utf8("b"))).toEqual(null);
    });

    withStore("takes empty values, empty batches and keys of any bytes", async (store) => {
      await store.write([], { sync: true });
      const odd = [Uint8Array.of(0), Uint8Array.of(0xff, 0xff), Uint8Array.of(0, 0), utf8("/!~")];
      for (const key of odd) {
        await store.write([{ type: "put", space: "state", key, value: new Uint8Array(0) }], {
          sync: false,
        });
        expect(text(store.get("state", key))).toEqual("");
      }
      expect((await store.range("state", {})).map(([key]) => toHex(key))).toEqual([
        "00",
        "0000",
        toHex(utf8("/!~")),
        "ffff",
      ]);
    });

    withStore("copies what it is given", async (store) => {
      const value = utf8("kept");
      await store.write([{ type: "put", space: "state", key: utf8("k"), value }], { sync: false });
      value.fill(0);
      expect(text(store.get("state", utf8("k")))).toEqual(toHex(utf8("kept")));
    });

    withStore("ranges by bytes: bounds, direction, limit", async (store) => {
      await store.write(
        ["b", "a", "d", "c"].map((key) => put(key, key)),
        { sync: false },
      );
      expect(await keys(store, {})).toEqual(["a", "b", "c", "d"]);
      expect(await keys(store, { from: utf8("b"), to: utf8("d") })).toEqual(["b", "c"]);
      expect(await keys(store, { from: utf8("b"), limit: 2 })).toEqual(["b", "c"]);
      expect(await keys(store, { reverse: true, limit: 2 })).toEqual(["d", "c"]);
      expect(await keys(store, { to: utf8("c"), reverse: true })).toEqual(["b", "a"]);
      expect(await keys(store, { from: utf8("c"), to: utf8("b") })).toEqual([]);
      expect(await keys(store, { limit: 0 })).toEqual([]);
    });

    if (reopen !== undefined) {
      it("S-9.3-1: keeps synced writes over a close", async () => {
        const store = await create();
        await store.write([put("a", "1"), put("h", "2", "history")], { sync: true });
        const again = await reopen(store);
        try {
          expect(text(again.get("state", utf8("a")))).toEqual(toHex(utf8("1")));
          expect(text(again.get("history", utf8("h")))).toEqual(toHex(utf8("2")));
        } finally {
          await again.close();
        }
      });
    }
  });
}
