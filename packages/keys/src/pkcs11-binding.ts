import { createRequire } from "node:module";
import { KeysError } from "./errors.ts";

/**
 * The part of pkcs11js that is used. It is a native package that operators of tokens install; nothing
 * else needs it, so it is loaded when a wrapped password is met and never before.
 */

interface Mechanism {
  readonly mechanism: number;
  readonly parameter?: unknown;
}

interface Attribute {
  readonly type: number;
  readonly value?: unknown;
}

/** Sessions, slots and objects are handles whose form is the binding's own. */
type Handle = Buffer;

export interface Pkcs11 {
  load(path: string): void;
  close(): void;
  C_Initialize(): void;
  C_Finalize(): void;
  C_GetSlotList(tokenPresent: boolean): readonly Handle[];
  C_GetTokenInfo(slot: Handle): { readonly label: string };
  C_GetMechanismList(slot: Handle): readonly number[];
  C_OpenSession(slot: Handle, flags: number): Handle;
  C_CloseSession(session: Handle): void;
  C_Login(session: Handle, user: number, pin: string): void;
  C_FindObjectsInit(session: Handle, template: readonly Attribute[]): void;
  C_FindObjects(session: Handle, max: number): readonly Handle[];
  C_FindObjectsFinal(session: Handle): void;
  C_GenerateKey(session: Handle, mechanism: Mechanism, template: readonly Attribute[]): Handle;
  C_EncryptInit(session: Handle, mechanism: Mechanism, key: Handle): void;
  C_Encrypt(session: Handle, data: Buffer, room: Buffer): Buffer;
  C_DecryptInit(session: Handle, mechanism: Mechanism, key: Handle): void;
  C_Decrypt(session: Handle, data: Buffer, room: Buffer): Buffer;
}

interface Binding {
  readonly PKCS11: new () => Pkcs11;
}

/** Numbers of PKCS#11 2.40 that are used. */
export const CK = {
  CKF_RW_SESSION: 2,
  CKF_SERIAL_SESSION: 4,
  CKU_USER: 1,
  CKO_SECRET_KEY: 4,
  CKK_AES: 0x1f,
  CKA_CLASS: 0,
  CKA_TOKEN: 1,
  CKA_PRIVATE: 2,
  CKA_LABEL: 3,
  CKA_KEY_TYPE: 0x100,
  CKA_SENSITIVE: 0x103,
  CKA_ENCRYPT: 0x104,
  CKA_DECRYPT: 0x105,
  CKA_VALUE_LEN: 0x161,
  CKA_EXTRACTABLE: 0x162,
  CKM_AES_KEY_GEN: 0x1080,
  CKM_AES_GCM: 0x1087,
  /** pkcs11js's own number for the parameters of AES-GCM. */
  PARAMS_AES_GCM: 3,
} as const;

function isBinding(value: unknown): value is Binding {
  return (
    typeof value === "object" &&
    value !== null &&
    "PKCS11" in value &&
    typeof value.PKCS11 === "function"
  );
}

/**
 * Loads the binding.
 * @param name package name, found from here, or an absolute path
 * @throws KeysError KEYS_PKCS11_BINDING
 */
export function loadBinding(name: string): Pkcs11 {
  let binding: unknown;
  try {
    binding = createRequire(import.meta.url)(name);
  } catch (cause) {
    throw new KeysError("KEYS_PKCS11_BINDING", `${name} cannot be loaded`, { cause });
  }
  if (!isBinding(binding)) throw new KeysError("KEYS_PKCS11_BINDING", `${name} is no pkcs11js`);
  return new binding.PKCS11();
}
