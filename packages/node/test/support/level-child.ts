/** Opens the database that it is given, says how that went, and closes it. */
import { StorageError } from "../../src/storage/errors.ts";
import { openLevelStore } from "../../src/storage/level-store.ts";

try {
  const store = await openLevelStore(process.argv[2] ?? "", { create: false });
  await store.close();
  process.stdout.write("opened");
} catch (error) {
  process.stdout.write(error instanceof StorageError ? error.code : String(error));
}
