import { textOfBytes } from "@credlink/primitives";
import { corruptRow } from "./rows.ts";
import { SizedCache } from "./sized-cache.ts";
import { decodePage, type Page } from "./state-page.ts";
import type { PageSource, TreeUpdate } from "./state-tree.ts";
import type { KeyValueStore } from "./store.ts";

/** Rough weight of a decoded page in memory. */
const PAGE_BYTES = 4_096;

/** Pages of committed blocks. A page never changes, so what was read stays right. */
export class CommittedPages implements PageSource {
  readonly #store: KeyValueStore;
  readonly #cache: SizedCache<Page>;

  constructor(store: KeyValueStore, cacheBytes: number) {
    this.#store = store;
    this.#cache = new SizedCache(cacheBytes);
  }

  page(key: Uint8Array): Page {
    const text = textOfBytes(key);
    const known = this.#cache.get(text);
    if (known !== undefined) return known;
    const row = this.#store.get("pages", key);
    if (row === null) throw corruptRow("a page of the state tree is missing");
    const page = decodePage(row);
    this.#cache.set(text, page, PAGE_BYTES);
    return page;
  }

  /** Remembers pages that were written, in place of those they made stale. */
  apply(update: TreeUpdate): void {
    for (const key of update.stale) this.#cache.delete(textOfBytes(key));
    for (const { key, page } of update.pages) this.#cache.set(textOfBytes(key), page, PAGE_BYTES);
  }
}

/** Pages of one candidate over its parent's; passes through once its block is committed. */
export class CandidatePages implements PageSource {
  readonly #pages: Map<string, Page>;
  #parent: PageSource;

  constructor(parent: PageSource, update: TreeUpdate) {
    this.#parent = parent;
    this.#pages = new Map(update.pages.map(({ key, page }) => [textOfBytes(key), page]));
  }

  page(key: Uint8Array): Page {
    return this.#pages.get(textOfBytes(key)) ?? this.#parent.page(key);
  }

  /** After the block was written: its pages are found where all committed ones are. */
  finishCommit(committed: PageSource): void {
    this.#pages.clear();
    this.#parent = committed;
  }
}
