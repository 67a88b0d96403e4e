/** Version of this package, as its package.json says; a test holds both equal. */
export const VERSION = "0.1.0";
