/**
 * Fetches a blob, and goes on behind the last byte that came when the connection is cut (RFC 9110 §14). A blob's address
 * is its hash, so that what comes later is of the same bytes as what came before, or no such blob at all.
 *
 * @module
 */
import type { Sha256 } from "@ciphernx/core/blobs";
import { type ExchangeAnswer, foreignAnswer, type OpenExchange, refusal } from "./exchange.ts";
import type { Patience } from "./patience.ts";
import { contentRange } from "./resumption-headers.ts";
import { expectBlobSize } from "./verified-blob.ts";

/** What a download needs of its channel. */
export interface DownloadContext {
  readonly open: OpenExchange;
  readonly origin: string;
  readonly signal: AbortSignal;
  readonly patience: Patience;
}

/** A blob on its way. */
export interface Download {
  readonly sizeBytes: number;
  /** Its bytes, not verified. To be iterated once. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Whether it was cut: its bytes came in several answers. */
  readonly wasCut: boolean;
}

/** Resolves when the answer has begun. */
export async function download(hash: Sha256, expectedSizeBytes: number | undefined, context: DownloadContext): Promise<Download> {
  const { patience, signal } = context;
  let cuts = 0;
  const answer = async (offset: number, sizeBytes: number | undefined): Promise<Answer> => {
    for (;;) {
      try {
        return await askFrom(hash, offset, sizeBytes, context);
      } catch (error) {
        await patience.afterCut(error, signal);
      }
    }
  };
  const first = await answer(0, expectedSizeBytes);
  const { sizeBytes } = first;

  async function* chunks(): AsyncGenerator<Uint8Array> {
    let offset = 0;
    for (let current = first; ; current = await answer(offset, sizeBytes)) {
      let { skipBytes } = current;
      try {
        for await (const chunk of current.body) {
          const fresh = skipBytes === 0 ? chunk : chunk.subarray(skipBytes);
          skipBytes -= chunk.length - fresh.length;
          if (fresh.length === 0) continue;
          offset += fresh.length;
          patience.moved();
          yield fresh;
        }
        return;
      } catch (error) {
        // The last byte came before the connection broke.
        if (offset >= sizeBytes) return;
        cuts += 1;
        await patience.afterCut(error, signal);
      }
    }
  }

  return {
    sizeBytes,
    chunks: chunks(),
    get wasCut() {
      return cuts > 0;
    },
  };
}

interface Answer {
  /** Of the whole blob. */
  readonly sizeBytes: number;
  readonly body: AsyncIterable<Uint8Array>;
  /** Bytes at the beginning of the body that have come before: the answer to who does not heed ranges. */
  readonly skipBytes: number;
}

async function askFrom(
  hash: Sha256,
  offset: number,
  expectedSizeBytes: number | undefined,
  { open, origin, signal }: DownloadContext,
): Promise<Answer> {
  const request = open({ method: "GET", path: `/blobs/${hash}`, headers: offset === 0 ? {} : { range: `bytes=${offset}-` }, signal });
  request.end();
  const answer = await request.answer;
  const { status, body } = answer;
  if (status !== 200 && (status !== 206 || offset === 0)) throw await refusal(answer, origin);
  try {
    const sizeBytes = wholeSize(answer, offset);
    if (sizeBytes === undefined) throw foreignAnswer(origin, status);
    expectBlobSize(hash, expectedSizeBytes, sizeBytes);
    return { sizeBytes, body, skipBytes: status === 206 ? 0 : offset };
  } catch (error) {
    request.destroy();
    throw error;
  }
}

/** The size of the whole blob that an answer belongs to; undefined when it does not say, or begins elsewhere. */
function wholeSize({ status, headers }: ExchangeAnswer, offset: number): number | undefined {
  const lengthBytes = Number(headers["content-length"]);
  if (!Number.isSafeInteger(lengthBytes)) return undefined;
  if (status !== 206) return lengthBytes;
  const range = contentRange(headers["content-range"]);
  return range?.from === offset && range.sizeBytes === offset + lengthBytes ? range.sizeBytes : undefined;
}
