/** Locks the folder it is given, says so, and holds it until it is killed. */
import { lockFolder } from "../../src/storage/folder-lock.ts";

await lockFolder(process.argv[2] ?? "");
process.stdout.write("held\n");
setInterval(() => undefined, 60_000);
