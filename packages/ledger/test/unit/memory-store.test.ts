import { utf8 } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import { keyValueStoreCompliance } from "../../src/compliance.ts";
import { createMemoryStore } from "../../src/index.ts";

keyValueStoreCompliance("memory", async () => createMemoryStore(), { describe, it, expect });

describe("the store in memory", () => {
  it("goes back to a snapshot", async () => {
    const store = createMemoryStore();
    const put = (value: string) =>
      store.write([{ type: "put", space: "state", key: utf8("k"), value: utf8(value) }], {
        sync: true,
      });
    await put("1");
    const snapshot = store.snapshot();
    await put("2");
    await store.close();
    store.restore(snapshot);
    expect(store.get("state", utf8("k"))).toEqual(utf8("1"));
  });
});
