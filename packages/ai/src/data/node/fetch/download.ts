import { NexusError } from "@ciphernx/core/errors";

export interface DownloadOptions {
  /** The most bytes that are taken. */
  readonly maxBytes: number;
  /** How long the whole file may take. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A public file, whole, in memory. Redirects are followed.
 * @throws NexusError DOWNLOAD_FAILED when it cannot be had: no connection, another answer than the file, broken off, too slow, too large.
 *   What aborts `signal` is thrown as it is.
 */
export async function download(url: string, { maxBytes, timeoutMs, signal }: DownloadOptions): Promise<Uint8Array> {
  const failed = (what: string, cause?: unknown): NexusError => new NexusError("DOWNLOAD_FAILED", `${url} ${what}.`, { details: { url }, cause });
  const timeout = AbortSignal.timeout(timeoutMs);
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    const response = await fetch(url, { signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]) });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw failed(`was answered with status ${response.status} instead of the file`);
    }
    for await (const chunk of response.body) {
      sizeBytes += chunk.length;
      // Leaving the loop ends the transfer.
      if (sizeBytes > maxBytes) throw failed(`holds more than the ${maxBytes} bytes that are expected at most`);
      chunks.push(chunk);
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof NexusError) throw error;
    if (timeout.aborted) throw failed(`was not there after ${timeoutMs / 1_000} s`, error);
    throw failed(`cannot be fetched: ${reasonOf(error)}`, error);
  }
  return Buffer.concat(chunks, sizeBytes);
}

/** "fetch failed" says nothing; its cause does. */
function reasonOf(error: unknown): string {
  for (let one = error; ; one = one.cause) {
    if (!(one instanceof Error)) return String(one);
    if (one instanceof AggregateError && one.errors.length > 0) return reasonOf(one.errors[0]);
    if (one.cause === undefined) return one.message;
  }
}
