/** The part of sm-crypto that the differential tests use; the package has no types. */
declare module "sm-crypto" {
  export const sm2: {
    doVerifySignature(
      message: readonly number[],
      signatureHex: string,
      publicKeyHex: string,
      options: { readonly hash: boolean; readonly der?: boolean },
    ): boolean;
    doSignature(
      message: readonly number[],
      privateKeyHex: string,
      options: { readonly hash: boolean; readonly publicKey?: string },
    ): string;
    doDecrypt(ciphertextHex: string, privateKeyHex: string, cipherMode: 0 | 1): string;
    getPublicKeyFromPrivateKey(privateKeyHex: string): string;
  };
  export function sm3(message: readonly number[]): string;
}
