import { readFileSync } from "node:fs";
import { fromHex, type Random, toHex, utf8 } from "@credlink/primitives";
import { z } from "zod";
import { KeysError } from "./errors.ts";
import { CK, loadBinding, type Pkcs11 } from "./pkcs11-binding.ts";

/**
 * Passwords of key files under a key that stays in a PKCS#11 token.
 *
 * PKCS#11 2.40 and 3.0 have no SM2 and no SM4 mechanism, and SoftHSM has none of its own. So the token
 * keeps an AES-256 key that cannot be read out, and that key wraps the password of a key file: whoever
 * copies both files has nothing without the token and its PIN. The SM2 key itself is opened into the
 * memory of the process, as with any key file.
 */

const FORMAT = "credlink/wrapped-password/1";
const IV_BYTES = 12;
const TAG_BITS = 128;
const PASSWORD_BYTES = 32;
const ROOM_BYTES = 256;
export const DEFAULT_BINDING = "pkcs11js";

const hex = z.string().regex(/^(?:[0-9a-f]{2})+$/);
const tokenSchema = {
  /** Path of the token's PKCS#11 library. */
  module: z.string().min(1),
  /** Label of the token. */
  token: z.string().min(1).max(32),
  /** Label of the wrapping key in it. */
  key: z.string().min(1).max(64),
  /** File whose first line is the token's user PIN, mode 0600. */
  pinFile: z.string().min(1),
  /** pkcs11js: a package name, or an absolute path. */
  binding: z.string().min(1).default(DEFAULT_BINDING),
};
const fileSchema = z.strictObject({
  format: z.literal(FORMAT),
  ...tokenSchema,
  iv: hex.length(2 * IV_BYTES),
  wrapped: hex,
});

/** Which key of which token wraps. */
export type TokenKey = Pick<
  z.output<typeof fileSchema>,
  "module" | "token" | "key" | "pinFile" | "binding"
>;

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function firstLineOf(path: string): string {
  try {
    return readFileSync(path, "utf8").split(/\r?\n/)[0] ?? "";
  } catch (cause) {
    throw new KeysError("KEYS_PKCS11_PIN", `${path} cannot be read`, { cause });
  }
}

/** An open session, logged in. */
interface Session {
  readonly device: Pkcs11;
  readonly handle: Buffer;
}

function logIn({ device, handle }: Session, pinFile: string): void {
  try {
    device.C_Login(handle, CK.CKU_USER, firstLineOf(pinFile));
  } catch (cause) {
    if (cause instanceof KeysError) throw cause;
    if (textOf(cause).includes("ALREADY_LOGGED_IN")) return;
    throw new KeysError("KEYS_PKCS11_PIN", `the token says ${textOf(cause)}`, { cause });
  }
}

function findSlot(device: Pkcs11, token: string): Buffer {
  const slot = device
    .C_GetSlotList(true)
    .find((each) => device.C_GetTokenInfo(each).label.trimEnd() === token);
  if (slot === undefined) throw new KeysError("KEYS_PKCS11_TOKEN", `no token ${token}`);
  if (!device.C_GetMechanismList(slot).includes(CK.CKM_AES_GCM)) {
    throw new KeysError("KEYS_PKCS11_TOKEN", `${token} has no AES-GCM`);
  }
  return slot;
}

/** Runs `work` in a session with the token, and ends that. */
function withToken<T>(use: TokenKey, work: (session: Session) => T): T {
  const device = loadBinding(use.binding);
  try {
    device.load(use.module);
    device.C_Initialize();
  } catch (cause) {
    throw new KeysError("KEYS_PKCS11_TOKEN", `${use.module}: ${textOf(cause)}`, { cause });
  }
  try {
    const slot = findSlot(device, use.token);
    const handle = device.C_OpenSession(slot, CK.CKF_RW_SESSION | CK.CKF_SERIAL_SESSION);
    const session = { device, handle };
    logIn(session, use.pinFile);
    return work(session);
  } catch (cause) {
    if (cause instanceof KeysError) throw cause;
    throw new KeysError("KEYS_PKCS11_FAILED", textOf(cause), { cause });
  } finally {
    device.C_Finalize();
    device.close();
  }
}

function findKey({ device, handle }: Session, label: string): Buffer | undefined {
  device.C_FindObjectsInit(handle, [
    { type: CK.CKA_CLASS, value: CK.CKO_SECRET_KEY },
    { type: CK.CKA_LABEL, value: label },
  ]);
  const [key] = device.C_FindObjects(handle, 1);
  device.C_FindObjectsFinal(handle);
  return key;
}

function makeKey({ device, handle }: Session, label: string): Buffer {
  return device.C_GenerateKey(handle, { mechanism: CK.CKM_AES_KEY_GEN }, [
    { type: CK.CKA_CLASS, value: CK.CKO_SECRET_KEY },
    { type: CK.CKA_KEY_TYPE, value: CK.CKK_AES },
    { type: CK.CKA_VALUE_LEN, value: 32 },
    { type: CK.CKA_LABEL, value: label },
    { type: CK.CKA_TOKEN, value: true },
    { type: CK.CKA_PRIVATE, value: true },
    { type: CK.CKA_ENCRYPT, value: true },
    { type: CK.CKA_DECRYPT, value: true },
    { type: CK.CKA_SENSITIVE, value: true },
    { type: CK.CKA_EXTRACTABLE, value: false },
  ]);
}

function mechanismOf(use: TokenKey, iv: Uint8Array) {
  const aad = Buffer.from(utf8(`${FORMAT} ${use.token} ${use.key}`));
  const parameter = {
    ...{ type: CK.PARAMS_AES_GCM, iv: Buffer.from(iv), ivBits: 8 * IV_BYTES, aad },
    tagBits: TAG_BITS,
  };
  return { mechanism: CK.CKM_AES_GCM, parameter };
}

/**
 * Draws a password of 256 bits and wraps it by a token's key, which is made in the token when it has
 * none of that label.
 * @returns the text of a file that stands wherever a password file may; it holds no secret
 * @throws KeysError KEYS_PKCS11_BINDING, KEYS_PKCS11_TOKEN, KEYS_PKCS11_PIN, KEYS_PKCS11_FAILED
 */
export function wrapNewPassword(random: Random, use: TokenKey): string {
  const password = Buffer.from(random.bytes(PASSWORD_BYTES)).toString("base64url");
  const iv = random.bytes(IV_BYTES);
  const wrapped = withToken(use, (session) => {
    const { device, handle } = session;
    const key = findKey(session, use.key) ?? makeKey(session, use.key);
    device.C_EncryptInit(handle, mechanismOf(use, iv), key);
    return toHex(
      Uint8Array.from(device.C_Encrypt(handle, Buffer.from(password), Buffer.alloc(ROOM_BYTES))),
    );
  });
  const { module, token, key, pinFile, binding } = use;
  const file = { format: FORMAT, module, token, key, pinFile, binding, iv: toHex(iv), wrapped };
  return `${JSON.stringify(file, null, 2)}\n`;
}

function unwrap(text: string): string {
  const file = fileSchema.safeParse(parseJson(text));
  if (!file.success) {
    throw new KeysError("KEYS_PKCS11_FAILED", "not a wrapped password of this format");
  }
  const { iv, wrapped, ...use } = file.data;
  return withToken(use, (session) => {
    const { device, handle } = session;
    const key = findKey(session, use.key);
    if (key === undefined) throw new KeysError("KEYS_PKCS11_TOKEN", `no key ${use.key}`);
    device.C_DecryptInit(handle, mechanismOf(use, fromHex(iv)), key);
    const room = Buffer.alloc(ROOM_BYTES);
    const password = device.C_Decrypt(handle, Buffer.from(fromHex(wrapped)), room).toString("utf8");
    room.fill(0);
    return password;
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * The password of a password file's text: its first line, or what a token unwraps when the file was made by
 * `wrapNewPassword`.
 * @throws KeysError KEYS_PKCS11_…
 */
export function passwordOf(text: string): string {
  return text.startsWith("{") ? unwrap(text) : (text.split(/\r?\n/)[0] ?? "");
}
