/** Value of the one array map of a generated program. */
export const MapArea = {
  /** r0 to r9 as they were before the program ended. */
  registers: 0,
  /** One byte per conditional block, set when it was entered. */
  flags: 128,
  flagCount: 384,
  /** Read and written by the program; random at the start. */
  data: 512,
  dataSize: 512,
  size: 1024,
} as const;

/** Bytes below r10 of a generated program. */
export const StackArea = {
  /** Random scalars, used by loads and stores. */
  data: -128,
  dataSize: 128,
  /** The context pointer. */
  ctx: -136,
  /** The key for lookups. */
  key: -144,
  /** Where the registers go before they are copied to the map. */
  registers: -224,
  /** Key, value and what callbacks add to; programs of a world only. */
  worldKey: -240,
  worldValue: -256,
  sum: -264,
} as const;
