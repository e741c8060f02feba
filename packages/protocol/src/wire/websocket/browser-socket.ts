/** A WebSocket of a browser. @module */
import { connectionError, type OpenFrameSocket } from "./frame-socket.ts";
import { SUBPROTOCOL, WEBSOCKET_PATH } from "./frames.ts";

/** What may lie in the browser's own buffer before a sender waits. */
const BUFFERED_BYTES = 1024 * 1024;
const LOOK_AGAIN_MS = 5;

/** Connects to the coordinator at an origin. The browser tells nothing of why a connection failed. */
export function browserFrameSocket(origin: string): OpenFrameSocket {
  return ({ message, closed }, signal) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`${origin.replace(/^http/, "ws")}${WEBSOCKET_PATH}`, SUBPROTOCOL);
      socket.binaryType = "arraybuffer";
      const onAbort = (): void => socket.close();
      signal.addEventListener("abort", onAbort, { once: true });
      socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
        if (data instanceof ArrayBuffer) message(new Uint8Array(data));
        else socket.close(3003, "binary messages only");
      });
      socket.addEventListener("close", ({ code }) => {
        signal.removeEventListener("abort", onAbort);
        const error = connectionError(`The connection to the coordinator at ${origin} was closed (${code}).`);
        reject(error);
        closed(error);
      });
      socket.addEventListener("open", () =>
        resolve({
          async send(bytes) {
            if (socket.readyState !== WebSocket.OPEN) return;
            socket.send(bytes);
            while (socket.bufferedAmount > BUFFERED_BYTES && socket.readyState === WebSocket.OPEN) {
              await new Promise((later) => setTimeout(later, LOOK_AGAIN_MS));
            }
          },
          // A page may close with 1000 and 3000 to 4999 alone (WebSockets Standard, close()).
          close: (code, reason) => socket.close(code === 1001 ? 1000 : code + 2000, reason),
          terminate: () => socket.close(),
        }),
      );
    });
}
