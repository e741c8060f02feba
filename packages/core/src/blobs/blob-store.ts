declare const sha256Brand: unique symbol;

/** A SHA-256 digest in 64 lower-case hex digits: the address of a blob. */
export type Sha256 = string & { readonly [sha256Brand]: true };

/** Whether a string has the form of a blob's address. */
export function isSha256(text: string): text is Sha256 {
  return /^[0-9a-f]{64}$/.test(text);
}

/** Bytes on their way into a store: hashed as they stream in, invisible until committed. */
export interface StagedBlob {
  /** Adds bytes; the chunk is the caller's again when it resolves. Rejects with DISK_FULL when they cannot be kept. */
  write(chunk: Uint8Array): Promise<void>;
  /** Hands gathered bytes to the system: a blob that waits for more holds no memory. Writing may go on. Rejects as `write` does. */
  flush(): Promise<void>;
  /** Ends writing, makes the bytes durable, and tells what they are. Idempotent. */
  finish(): Promise<{ readonly hash: Sha256; readonly sizeBytes: number }>;
  /** Reads staged bytes after `finish`, to check them before they are committed; into memory of the caller's, of that length, when it is given. */
  read(offset: number, length: number, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
  /** Makes the blob visible under its hash; durable when it resolves. Finishes first when needed. */
  commit(): Promise<{ readonly hash: Sha256; readonly sizeBytes: number }>;
  /** Forgets the bytes. Safe after commit (does nothing) and twice. */
  discard(): Promise<void>;
}

/**
 * Content-addressed bytes. A blob never changes; writing the same bytes twice gives the same address.
 * Implementations pass the suite in `blob-store.compliance.ts`.
 */
export interface BlobStore {
  stage(): Promise<StagedBlob>;
  /** Stages and commits bytes in one go. */
  put(bytes: Uint8Array): Promise<Sha256>;
  /** Size in bytes, or undefined when there is no such blob. */
  size(hash: Sha256): Promise<number | undefined>;
  /**
   * Reads `length` bytes from `offset` (default: all); into memory of the caller's, of that length, when it is given.
   * Throws BLOB_NOT_FOUND, BLOB_CORRUPT when too short.
   */
  read(hash: Sha256, offset?: number, length?: number, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Streams the blob from `offset` (default: all of it) in chunks of at most 256 KiB. The memory is used again: a chunk's bytes hold until three
   * more chunks have been taken (enough for a pipeline that respects backpressure), so copy what is kept longer.
   * Throws BLOB_NOT_FOUND, and BLOB_CORRUPT when the blob ends before `offset`, before the first chunk.
   */
  stream(hash: Sha256, offset?: number): AsyncIterable<Uint8Array>;
  /** Deletes a blob; no error when it is gone already. */
  delete(hash: Sha256): Promise<void>;
  /** Every blob's address, in no particular order. */
  list(): AsyncIterable<Sha256>;
}
