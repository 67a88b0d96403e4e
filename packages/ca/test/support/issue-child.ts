import { createSigningRequest, createSm2Signer, generateKeyPair } from "@credlink/crypto";
import { AuthorityFolder, issueMember, unlockAuthority } from "../../src/index.ts";

/** A process that certifies some observers: folder, password, prefix of their names, how many. */
const [dir = "", password = "", prefix = "", count = "0"] = process.argv.slice(2);
const folder = new AuthorityFolder(dir);
const signer = await unlockAuthority(folder, password);
for (let index = 0; index < Number(count); index++) {
  const name = `${prefix}-${index}`;
  const subject = { commonName: name, organization: "alpha", organizationalUnit: "observer" };
  const key = createSm2Signer(generateKeyPair().privateKey);
  const request = await createSigningRequest({ subject, signer: key });
  await folder.run({ act: "sign-csr", actor: prefix }, (act) =>
    issueMember(act, signer, request, { name, role: "observer", days: 5 }),
  );
}
