/** A WebSocket as exchanges see it, in Node or in a browser. */
export interface FrameSocket {
  /** Sends a message; resolves when it has left this process, or the socket is closed. */
  send(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  close(code: number, reason: string): void;
  /** Ends it without a word: nobody answers. */
  terminate(): void;
}

/** What a socket tells. */
export interface FrameSocketEvents {
  message(bytes: Uint8Array): void;
  /** Once, however it ended. */
  closed(error: Error): void;
}

/** Connects; resolves when messages may be sent. The signal gives up. */
export type OpenFrameSocket = (events: FrameSocketEvents, signal: AbortSignal) => Promise<FrameSocket>;

/** An error that the rest of the wire takes for a broken connection. */
export function connectionError(message: string, code = "ECONNRESET", cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code });
}
