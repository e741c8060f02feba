/**
 * The Transport without sockets: calls go through the same routes, messages, errors and blob rules in one process.
 *
 * @module
 */
import { nodeHash } from "./node-hash.ts";
import { type ConnectRouter, createRouterTransport } from "@connectrpc/connect";
import type { Sha256 } from "@ciphernx/core/blobs";
import { NexusError, toNexusError } from "@ciphernx/core/errors";
import { type BlobEndpoint, receiveBlob } from "./blob-endpoint.ts";
import { MAX_MESSAGE_BYTES } from "./limits.ts";
import { abortError, callError, linkSignals, rpcChannel } from "./rpc-channel.ts";
import { publicError, serverErrors } from "./server-errors.ts";
import type { BlobChannel, BlobGetOptions, BlobGetWholeOptions, BlobPutOptions, TokenSource, Transport } from "./transport.ts";
import { collectBlob, expectBlobSize, verifiedBlob } from "./verified-blob.ts";
import type { WireLog } from "./wire-log.ts";

/** Options of {@link inProcessTransport}. */
export interface InProcessTransportOptions {
  /** Registers the services, as for `startWireServer`. */
  readonly routes: (router: ConnectRouter) => void;
  readonly blobs: BlobEndpoint;
  /** Bearer token; none when absent. */
  readonly token?: TokenSource | undefined;
  readonly log: WireLog;
}

const TARGET = "in-process";

/** A Transport to services in this process. */
export function inProcessTransport({ routes, blobs, token = () => undefined, log }: InProcessTransportOptions): Transport {
  const closing = new AbortController();
  const close = async () => closing.abort(new NexusError("INTERRUPTED", "The connection to the coordinator in this process was closed."));
  return {
    kind: TARGET,
    rpc: rpcChannel({
      inner: createRouterTransport(routes, {
        router: { interceptors: [serverErrors(log)], readMaxBytes: MAX_MESSAGE_BYTES, writeMaxBytes: MAX_MESSAGE_BYTES },
        transport: { readMaxBytes: MAX_MESSAGE_BYTES, writeMaxBytes: MAX_MESSAGE_BYTES },
      }),
      token,
      target: TARGET,
      closed: closing.signal,
    }),
    blobs: inProcessBlobChannel(blobs, token, log, closing.signal),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function inProcessBlobChannel(endpoint: BlobEndpoint, token: TokenSource, log: WireLog, closed: AbortSignal): BlobChannel {
  const fetched = async (hash: Sha256, expectedSizeBytes: number | undefined) => {
    await endpoint.authorizeGet(token(), hash);
    const sizeBytes = await endpoint.store.size(hash);
    if (sizeBytes === undefined) throw new NexusError("BLOB_NOT_FOUND", `There is no blob ${hash}.`, { details: { blob: hash } });
    expectBlobSize(hash, expectedSizeBytes, sizeBytes);
    return { sizeBytes, chunks: endpoint.store.stream(hash) };
  };
  const failure = (error: unknown, signal: AbortSignal, hash: Sha256): NexusError =>
    callError(signal.aborted ? error : publicError(toNexusError(error), log, { blob: hash }), signal, TARGET);

  return {
    async get(hash: Sha256, { expectedSizeBytes, memory, signal }: BlobGetWholeOptions = {}) {
      const call = linkSignals(signal, closed);
      try {
        call.signal.throwIfAborted();
        const { sizeBytes, chunks } = await fetched(hash, expectedSizeBytes);
        return await collectBlob(hash, sizeBytes, abortable(chunks, call.signal), nodeHash, memory);
      } catch (error) {
        throw failure(error, call.signal, hash);
      } finally {
        call.unlink();
      }
    },

    async *stream(hash: Sha256, { expectedSizeBytes, signal }: BlobGetOptions = {}) {
      const call = linkSignals(signal, closed);
      try {
        call.signal.throwIfAborted();
        const { sizeBytes, chunks } = await fetched(hash, expectedSizeBytes);
        yield* verifiedBlob(hash, sizeBytes, abortable(chunks, call.signal), nodeHash);
      } catch (error) {
        throw failure(error, call.signal, hash);
      } finally {
        call.unlink();
      }
    },

    async put(bytes, { hash, sizeBytes, taskId, signal }: BlobPutOptions) {
      const call = linkSignals(signal, closed);
      try {
        call.signal.throwIfAborted();
        const upload = { hash, sizeBytes, taskId };
        const caller = token();
        await endpoint.authorizePut(caller, upload);
        const chunks = bytes instanceof Uint8Array ? oneChunk(bytes) : bytes;
        await receiveBlob(endpoint, { ...upload, caller }, abortable(chunks, call.signal));
      } catch (error) {
        throw failure(error, call.signal, hash);
      } finally {
        call.unlink();
      }
    },
  };
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Passes chunks on until the signal is aborted, also while the source keeps it waiting. */
async function* abortable(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => {});
  const onAbort = () => aborted.reject(abortError(signal));
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  const source = chunks[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const next = await Promise.race([source.next(), aborted.promise]);
      if (next.done === true) {
        ended = true;
        return;
      }
      yield next.value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    // Not awaited after an abort: a source that hangs would hang this, too.
    if (!ended) void Promise.resolve(source.return?.()).catch(() => {});
  }
}
