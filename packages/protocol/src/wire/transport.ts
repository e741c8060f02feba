/**
 * How a node or a client reaches the coordinator: calls over `rpc`, bytes over `blobs`. Implementations pass the
 * suite in `transport.compliance.ts`; whoever holds a Transport need not know which one it is.
 *
 * @module
 */
import type { Transport as ConnectTransport } from "@connectrpc/connect";
import type { Sha256 } from "@ciphernx/core/blobs";

/** A way to the coordinator. Every failure of it is a `NexusError`. */
export interface Transport extends AsyncDisposable {
  /** Names the implementation in logs: `connect`, `in-process`. */
  readonly kind: string;
  /** For `createClient(Service, transport.rpc)`. */
  readonly rpc: ConnectTransport;
  readonly blobs: BlobChannel;
  /** Ends calls under way with INTERRUPTED and lets go of every connection. Idempotent. */
  close(): Promise<void>;
}

/** Gives the bearer token to send (a session's or the owner's), asked before every call; undefined sends none. */
export type TokenSource = () => string | undefined;

/** Options of {@link BlobChannel.stream}. */
export interface BlobGetOptions {
  /** Refuses a blob of another size before its bytes are read. */
  readonly expectedSizeBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds since 1970 after which an interrupted transfer is not gone on with. Default: none. */
  readonly deadlineUnixMs?: number | undefined;
}

/** Options of {@link BlobChannel.get}. */
export interface BlobGetWholeOptions extends BlobGetOptions {
  /** Memory for the bytes, asked for once their number is known; new memory when absent. */
  readonly memory?: ((sizeBytes: number) => Uint8Array<ArrayBuffer>) | undefined;
}

/** Options of {@link BlobChannel.put}. */
export interface BlobPutOptions {
  /** SHA-256 of the bytes; the coordinator computes its own and compares. */
  readonly hash: Sha256;
  readonly sizeBytes: number;
  /** The task that the blob answers, when it answers one. */
  readonly taskId?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds since 1970 after which an interrupted transfer is not gone on with. Default: none. */
  readonly deadlineUnixMs?: number | undefined;
}

/**
 * Moves blobs, addressed by SHA-256. A transfer whose connection is cut goes on where it was, as long as it moves at all; nothing counts
 * before the whole is there and its hash is right.
 */
export interface BlobChannel {
  /**
   * Fetches a whole blob; SHA-256 and size are verified.
   *
   * @throws BLOB_NOT_FOUND, BLOB_CORRUPT, UNAUTHENTICATED, FORBIDDEN, COORDINATOR_UNREACHABLE, INTERRUPTED, TIMEOUT.
   */
  get(hash: Sha256, options?: BlobGetWholeOptions): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Fetches a blob in chunks. SHA-256 and size are verified at the end, where it throws BLOB_CORRUPT:
   * use nothing of it before the iteration has ended well. A chunk is valid until the next one is asked for.
   */
  stream(hash: Sha256, options?: BlobGetOptions): AsyncIterable<Uint8Array>;
  /**
   * Sends a blob; resolves when the coordinator has acknowledged it. Sending the same blob again is harmless, and after a failure
   * it goes on where that one was. Only bytes in memory can be sent on after a cut: an iterable's upload ends with it.
   *
   * @throws BLOB_CORRUPT when the bytes do not have the announced hash or size, and as `get` does.
   */
  put(bytes: Uint8Array | AsyncIterable<Uint8Array>, options: BlobPutOptions): Promise<void>;
}
