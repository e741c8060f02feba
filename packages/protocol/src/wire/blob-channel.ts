/**
 * Blobs over exchanges: `GET /blobs/<sha256>` and `PUT /blobs/<sha256>?task=<id>`, whatever carries them.
 *
 * @module
 */
import type { Sha256 } from "@ciphernx/core/blobs";
import { NexusError } from "@ciphernx/core/errors";
import { download } from "./blob-download.ts";
import { upload } from "./blob-upload.ts";
import type { OpenExchange } from "./exchange.ts";
import { createPatience } from "./patience.ts";
import { callError, linkSignals } from "./rpc-channel.ts";
import type { TokenBucket } from "./token-bucket.ts";
import type { BlobChannel, BlobGetOptions, BlobGetWholeOptions, BlobPutOptions } from "./transport.ts";
import { collectBlob, type StreamHash, verifiedBlob } from "./verified-blob.ts";

interface BlobChannelOptions {
  readonly open: OpenExchange;
  readonly newHash: () => StreamHash;
  /** Whom the exchanges are with, for messages. */
  readonly origin: string;
  readonly closed: AbortSignal;
  /** Tries without progress after which an interrupted transfer is given up. */
  readonly tries: number;
  /** Limits all uploads together. */
  readonly uploadLimit: TokenBucket | undefined;
}

/** A blob channel over exchanges with a coordinator. */
export function blobChannel({ open, origin, newHash, closed, tries, uploadLimit }: BlobChannelOptions): BlobChannel {
  const interrupted = new Set<string>();

  return {
    async get(hash: Sha256, { expectedSizeBytes, memory, signal, deadlineUnixMs }: BlobGetWholeOptions = {}) {
      const call = linkSignals(signal, closed);
      try {
        const patience = createPatience({ tries, deadlineUnixMs });
        for (let mayStartOver = true; ; mayStartOver = false) {
          const coming = await download(hash, expectedSizeBytes, { open, origin, signal: call.signal, patience });
          try {
            return await collectBlob(hash, coming.sizeBytes, coming.chunks, newHash, memory);
          } catch (error) {
            // Parts that do not make the blob are no proof that the blob itself is damaged.
            if (!mayStartOver || !coming.wasCut || !(error instanceof NexusError) || error.code !== "BLOB_CORRUPT") throw error;
          }
        }
      } catch (error) {
        throw callError(error, call.signal, origin);
      } finally {
        call.unlink();
      }
    },

    async *stream(hash: Sha256, { expectedSizeBytes, signal, deadlineUnixMs }: BlobGetOptions = {}) {
      const call = linkSignals(signal, closed);
      try {
        const patience = createPatience({ tries, deadlineUnixMs });
        const { sizeBytes, chunks } = await download(hash, expectedSizeBytes, { open, origin, signal: call.signal, patience });
        yield* verifiedBlob(hash, sizeBytes, chunks, newHash);
      } catch (error) {
        throw callError(error, call.signal, origin);
      } finally {
        call.unlink();
      }
    },

    async put(bytes, options: BlobPutOptions) {
      const call = linkSignals(options.signal, closed);
      try {
        call.signal.throwIfAborted();
        const patience = createPatience({ tries, deadlineUnixMs: options.deadlineUnixMs });
        await upload(bytes, options, { open, origin, signal: call.signal, patience, limit: uploadLimit, interrupted });
      } catch (error) {
        throw callError(error, call.signal, origin);
      } finally {
        call.unlink();
      }
    },
  };
}
