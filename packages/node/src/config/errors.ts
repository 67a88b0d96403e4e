import { AppError, defineErrors } from "@credlink/primitives";

/** What a configuration is refused for. */
export const configErrors = defineErrors({
  NODE_CONFIG_UNKNOWN_KEY: {
    meaning: "The configuration names a key that does not exist.",
    remedy: "Compare the key with docs/configuration.md; most often it is a typing error.",
  },
  NODE_CONFIG_INVALID: {
    meaning: "A value of the configuration has the wrong type or lies outside its range.",
    remedy: "The message names the key; docs/configuration.md says what it takes.",
  },
  NODE_CONFIG_ALGORITHM_REFUSED: {
    meaning:
      "`algorithms` names one that is not on the allow-list (MD5, SHA-1, RSA, a cut digest), or leaves out one that every chain needs.",
    remedy:
      "Remove the entry: SM2, SM3 and SM4 are the defaults; docs/protocol/crypto.md says why.",
  },
  NODE_CONFIG_UNREADABLE: {
    meaning: "A file that the configuration needs cannot be read, or is not what it should be.",
    remedy: "Check the path, which is relative to the configuration file, and the permissions.",
  },
});

/** A configuration that cannot be used; `key` is its dotted name. */
export class ConfigError extends AppError<{
  readonly code: keyof typeof configErrors;
  readonly key: string;
}> {
  constructor(
    code: keyof typeof configErrors,
    key: string,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super({ code, key }, message, options);
  }
}
