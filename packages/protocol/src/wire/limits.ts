/** Largest RPC message in bytes, in either direction. Tensors are blobs; what is larger than this is a mistake. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** Uploads from this size on ask with `Expect: 100-continue`, so that a refusal comes before the bytes go. */
export const ASK_BEFORE_BYTES = 64 * 1024;
