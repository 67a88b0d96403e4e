import { type Disk, utf8, utf8ToText } from "@credlink/primitives";

/** The few functions of a test runner that a compliance suite needs. */
export interface TestFunctions {
  readonly describe: (name: string, body: () => void) => void;
  readonly it: (name: string, body: () => Promise<void>) => void;
  readonly expect: (actual: unknown) => { toEqual(expected: unknown): void };
}

/** A disk to judge, and what to do with it afterwards. */
export interface DiskUnderTest {
  readonly disk: Disk;
  readonly cleanUp: () => Promise<void>;
}

async function codeOf(work: Promise<unknown>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : "no code";
  }
}

function fileCases(
  withDisk: (body: (disk: Disk) => Promise<void>) => () => Promise<void>,
  { it, expect }: TestFunctions,
): void {
  it(
    "reads back what was written, at any offset",
    withDisk(async (disk) => {
      await disk.makeFolder("logs");
      const file = await disk.open("logs/a", { create: true });
      await file.write(0, utf8("hello world"));
      await file.write(6, utf8("there"));
      expect(utf8ToText(await file.read(0, 11))).toEqual("hello there");
      expect(utf8ToText(await file.read(6, 100))).toEqual("there");
      expect((await file.read(50, 4)).length).toEqual(0);
      expect(await file.size()).toEqual(11);
      await file.sync();
      await file.close();
    }),
  );
  it(
    "fills a gap with zeros",
    withDisk(async (disk) => {
      const file = await disk.open("gap", { create: true });
      await file.write(4, Uint8Array.of(7));
      expect([...(await file.read(0, 5))]).toEqual([0, 0, 0, 0, 7]);
      await file.close();
    }),
  );
  it(
    "truncates, and what grows again is zero",
    withDisk(async (disk) => {
      const file = await disk.open("cut", { create: true });
      await file.write(0, Uint8Array.of(1, 2, 3, 4));
      await file.truncate(2);
      expect(await file.size()).toEqual(2);
      await file.truncate(4);
      expect([...(await file.read(0, 4))]).toEqual([1, 2, 0, 0]);
      await file.close();
    }),
  );
  it(
    "keeps the caller's buffer apart from what was written",
    withDisk(async (disk) => {
      const file = await disk.open("own", { create: true });
      const bytes = Uint8Array.of(1, 2);
      await file.write(0, bytes);
      bytes[0] = 9;
      expect([...(await file.read(0, 2))]).toEqual([1, 2]);
      await file.close();
    }),
  );
}

function folderCases(
  withDisk: (body: (disk: Disk) => Promise<void>) => () => Promise<void>,
  { it, expect }: TestFunctions,
): void {
  it(
    "refuses to open, rename or remove what is missing with ENOENT",
    withDisk(async (disk) => {
      expect(await codeOf(disk.open("none"))).toEqual("ENOENT");
      expect(await codeOf(disk.rename("none", "other"))).toEqual("ENOENT");
      expect(await codeOf(disk.remove("none"))).toEqual("ENOENT");
    }),
  );
  it(
    "lists names in ascending order, and nothing for a missing folder",
    withDisk(async (disk) => {
      expect(await disk.list("missing")).toEqual([]);
      await disk.makeFolder("logs");
      for (const name of ["b", "c", "a"]) {
        await (await disk.open(`logs/${name}`, { create: true })).close();
      }
      await disk.syncFolder("logs");
      expect(await disk.list("logs")).toEqual(["a", "b", "c"]);
    }),
  );
  it(
    "makes a folder that is there already",
    withDisk(async (disk) => {
      await disk.makeFolder("twice/deep");
      expect(await codeOf(disk.makeFolder("twice/deep"))).toEqual(null);
    }),
  );
  it(
    "renames over an existing file and removes",
    withDisk(async (disk) => {
      const write = async (name: string, text: string): Promise<void> => {
        const file = await disk.open(name, { create: true });
        await file.write(0, utf8(text));
        await file.sync();
        await file.close();
      };
      await write("old", "old");
      await write("new", "new");
      await disk.rename("new", "old");
      const file = await disk.open("old");
      expect(utf8ToText(await file.read(0, 3))).toEqual("new");
      await file.close();
      expect(await codeOf(disk.open("new"))).toEqual("ENOENT");
      await disk.remove("old");
      expect(await codeOf(disk.open("old"))).toEqual("ENOENT");
    }),
  );
}

/**
 * What every Disk must do; the simulated and the real one pass the same cases.
 * Durability cannot be shown without cutting power: it is the simulated disk's own test.
 */
export function diskCompliance(
  name: string,
  create: () => Promise<DiskUnderTest>,
  functions: TestFunctions,
): void {
  const withDisk = (body: (disk: Disk) => Promise<void>) => async (): Promise<void> => {
    const { disk, cleanUp } = await create();
    try {
      await body(disk);
    } finally {
      await cleanUp();
    }
  };
  functions.describe(`disk compliance: ${name}`, () => {
    fileCases(withDisk, functions);
    folderCases(withDisk, functions);
  });
}
