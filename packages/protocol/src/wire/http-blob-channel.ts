/**
 * Blobs over plain HTTP/1.1: `GET /blobs/<sha256>` and `PUT /blobs/<sha256>?task=<id>`.
 *
 * @module
 */
import http from "node:http";
import https from "node:https";
import type { Sha256 } from "@ciphernx/core/blobs";
import { NexusError } from "@ciphernx/core/errors";
import type { OpenRequest } from "./http-answers.ts";
import { download } from "./http-download.ts";
import { upload } from "./http-upload.ts";
import { createPatience } from "./patience.ts";
import { callError, linkSignals } from "./rpc-channel.ts";
import type { TokenBucket } from "./token-bucket.ts";
import type { BlobChannel, BlobGetOptions, BlobGetWholeOptions, BlobPutOptions, TokenSource } from "./transport.ts";
import { collectBlob, verifiedBlob } from "./verified-blob.ts";

interface HttpBlobChannelOptions {
  readonly origin: string;
  readonly agent: http.Agent;
  readonly token: TokenSource;
  readonly stallTimeoutMs: number;
  readonly closed: AbortSignal;
  /** Tries without progress after which an interrupted transfer is given up. */
  readonly tries: number;
  /** Limits all uploads together. */
  readonly uploadLimit: TokenBucket | undefined;
}

/** A blob channel to a coordinator's HTTP port. */
export function httpBlobChannel({ origin, agent, token, stallTimeoutMs, closed, tries, uploadLimit }: HttpBlobChannelOptions): BlobChannel {
  const open: OpenRequest = (method, path, headers, signal) => {
    const bearer = token();
    const request = (origin.startsWith("https:") ? https : http).request(`${origin}${path}`, {
      method,
      agent,
      signal,
      headers: { ...headers, ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }) },
    });
    request.setTimeout(stallTimeoutMs, () =>
      request.destroy(new NexusError("TIMEOUT", `The coordinator at ${origin} moved no byte of ${path} for ${stallTimeoutMs / 1000} s.`)),
    );
    // Whoever awaits the response or the body hears of it; this only keeps a late error from ending the process.
    request.on("error", () => {});
    return request;
  };

  const interrupted = new Set<string>();

  return {
    async get(hash: Sha256, { expectedSizeBytes, memory, signal, deadlineUnixMs }: BlobGetWholeOptions = {}) {
      const call = linkSignals(signal, closed);
      try {
        const patience = createPatience({ tries, deadlineUnixMs });
        for (let mayStartOver = true; ; mayStartOver = false) {
          const coming = await download(hash, expectedSizeBytes, { open, origin, signal: call.signal, patience });
          try {
            return await collectBlob(hash, coming.sizeBytes, coming.chunks, memory);
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
        yield* verifiedBlob(hash, sizeBytes, chunks);
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
