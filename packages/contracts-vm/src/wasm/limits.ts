/** What a module may hold. Consensus-critical: a module is installed on all nodes or on none. */
export const limits = {
  moduleBytes: 1024 * 1024,
  types: 1_024,
  imports: 64,
  functions: 8_192,
  globals: 1_024,
  exports: 1_024,
  tableElements: 8_192,
  elementSegments: 1_024,
  dataSegments: 4_096,
  memoryPages: 256,
  functionBytes: 128 * 1024,
  /** Parameters and locals, and the highest operand stack, of one function, together. */
  functionSlots: 1_024,
  /** Targets of one br_table. */
  branchTargets: 4_096,
  nestedBlocks: 512,
  customSections: 64,
} as const;

/** Values (of 8 bytes) that all calls of one transaction may hold together. */
export const STACK_LIMIT = 16_384;
/** Values that every function call counts for beyond its own: return address, saved registers. */
export const FRAME_SLOTS = 16;
/** Values that a call from contract to contract counts for: the host's own frames. */
export const CONTRACT_CALL_SLOTS = 512;
