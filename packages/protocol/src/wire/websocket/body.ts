/** The two halves of an exchange's body: what comes in, and what goes out as far as there is credit. @module */
import { MAX_PIECE_BYTES, WINDOW_BYTES } from "./frames.ts";

/** A body on its way in. */
export interface IncomingBody extends AsyncIterable<Uint8Array> {
  /** @returns whether the sender kept to its credit and to the size of pieces, and had not ended */
  push(piece: Uint8Array, end: boolean): boolean;
  /** Its iteration fails with that, unless all of it has come. */
  fail(error: Error): void;
  readonly ended: boolean;
  /** Resolves when all of it has come, or no more will. */
  readonly done: Promise<void>;
}

/**
 * A body that the other side sends piece by piece.
 * @param firstBytes what it may send unasked
 * @param options.grant gives it credit for more: up to a window once somebody iterates, then as much as is taken
 * @param options.abandon told when whoever iterates leaves before the end
 */
export function incomingBody(
  firstBytes: number,
  { grant, abandon }: { readonly grant: (bytes: number) => void; readonly abandon: () => void },
): IncomingBody {
  const pieces: Uint8Array[] = [];
  let allowed = firstBytes;
  let ended = false;
  let failure: Error | undefined;
  let wake = (): void => {};
  let wanted = false;
  const done = Promise.withResolvers<void>();
  /** Taken since credit was granted last. */
  let takenBytes = 0;

  const allow = (bytes: number): void => {
    allowed += bytes;
    grant(bytes);
  };
  async function* iterate(): AsyncGenerator<Uint8Array> {
    if (!wanted) {
      wanted = true;
      if (!ended && firstBytes < WINDOW_BYTES) allow(WINDOW_BYTES - firstBytes);
    }
    try {
      for (;;) {
        const piece = pieces.shift();
        if (piece !== undefined) {
          takenBytes += piece.length;
          if (!ended && failure === undefined && takenBytes >= WINDOW_BYTES / 4) {
            allow(takenBytes);
            takenBytes = 0;
          }
          yield piece;
          continue;
        }
        if (ended) return;
        if (failure !== undefined) throw failure;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      if (!ended && failure === undefined) abandon();
    }
  }
  return {
    push(piece, end) {
      if (ended || piece.length > Math.min(allowed, MAX_PIECE_BYTES)) return false;
      allowed -= piece.length;
      if (piece.length > 0) pieces.push(piece);
      ended = end;
      if (end) done.resolve();
      wake();
      return true;
    },
    fail(error) {
      failure ??= error;
      done.resolve();
      wake();
    },
    get ended() {
      return ended;
    },
    done: done.promise,
    [Symbol.asyncIterator]: iterate,
  };
}

/** A body on its way out. */
export interface OutgoingBody {
  /** Sends bytes piece by piece; resolves when all have left, or nothing can be sent any more. */
  write(bytes: Uint8Array): Promise<void>;
  /** More may be sent. @returns whether the credit is believable */
  credit(bytes: number): boolean;
  /** Nothing can be sent any more. */
  stop(): void;
  readonly stopped: boolean;
  /** Resolves when credit has been granted beyond the first, or nothing can be sent any more. */
  readonly granted: Promise<void>;
}

/**
 * @param firstBytes what may be sent unasked
 * @param send resolves when the piece has left
 */
export function outgoingBody(firstBytes: number, send: (piece: Uint8Array) => Promise<void>): OutgoingBody {
  let creditBytes = firstBytes;
  let stopped = false;
  let wake = (): void => {};
  /** Resolves with what may be sent now; 0 when nothing can be any more. */
  async function allowance(): Promise<number> {
    if (creditBytes === 0 && !stopped) await new Promise<void>((resolve) => (wake = resolve));
    return stopped ? 0 : creditBytes;
  }
  const granted = Promise.withResolvers<void>();
  return {
    async write(bytes) {
      for (let offset = 0; offset < bytes.length;) {
        const allowed = await allowance();
        if (allowed === 0) return;
        const piece = bytes.subarray(offset, offset + Math.min(MAX_PIECE_BYTES, allowed));
        offset += piece.length;
        creditBytes -= piece.length;
        await send(piece);
      }
    },
    credit(bytes) {
      creditBytes += bytes;
      granted.resolve();
      wake();
      return bytes > 0 && creditBytes <= WINDOW_BYTES;
    },
    stop() {
      stopped = true;
      granted.resolve();
      wake();
    },
    get stopped() {
      return stopped;
    },
    granted: granted.promise,
  };
}
