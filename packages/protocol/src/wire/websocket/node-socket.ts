/** A WebSocket of Node, by `ws`. @module */
import type http from "node:http";
import { NexusError } from "@ciphernx/core/errors";
import { WebSocket } from "ws";
import { connectionError, type OpenFrameSocket } from "./frame-socket.ts";
import { MAX_FRAME_BYTES, SUBPROTOCOL, WEBSOCKET_PATH } from "./frames.ts";

const HANDSHAKE_TIMEOUT_MS = 15_000;

/** Connects to the coordinator at an origin, through an agent that knows whom to trust and which way to go. */
export function nodeFrameSocket({ origin, agent }: { readonly origin: string; readonly agent: http.Agent }): OpenFrameSocket {
  return ({ message, closed }, signal) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`${origin.replace(/^http/, "ws")}${WEBSOCKET_PATH}`, SUBPROTOCOL, {
        agent,
        perMessageDeflate: false,
        maxPayload: MAX_FRAME_BYTES,
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
        followRedirects: false,
      });
      socket.binaryType = "nodebuffer";
      let last: Error | undefined;
      const onAbort = (): void => socket.terminate();
      signal.addEventListener("abort", onAbort, { once: true });
      socket.on("unexpected-response", (_request, response) => {
        const { statusCode } = response;
        last = new NexusError("COORDINATOR_UNREACHABLE", `What answers at ${origin} takes no WebSocket (HTTP status ${statusCode}).`, {
          hint: "Use `--transport connect`, or have the proxy in between let WebSockets through.",
          details: { origin, status: statusCode },
        });
        response.destroy();
        socket.terminate();
      });
      socket.on("error", (error) => (last ??= error));
      socket.on("message", (data, isBinary) => {
        if (isBinary && data instanceof Buffer) message(data);
        else socket.close(1003, "binary messages only");
      });
      socket.on("close", (code) => {
        signal.removeEventListener("abort", onAbort);
        const error = last ?? connectionError(`The connection to the coordinator at ${origin} was closed (${code}).`);
        reject(error);
        closed(error);
      });
      socket.on("open", () =>
        resolve({
          send: (bytes) =>
            new Promise((sent) => {
              if (socket.readyState !== WebSocket.OPEN) return sent();
              // Whoever waits hears of a broken socket by its end.
              socket.send(bytes, () => sent());
            }),
          close: (code, reason) => socket.close(code, reason),
          terminate: () => socket.terminate(),
        }),
      );
    });
}
