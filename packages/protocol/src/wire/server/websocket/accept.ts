import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { NexusError } from "@ciphernx/core/errors";
import { WebSocket, WebSocketServer } from "ws";
import { publicError } from "../../server-errors.ts";
import { CLOSE, MAX_FRAME_BYTES, MISSED_PINGS, SUBPROTOCOL, WEBSOCKET_PATH } from "../../websocket/frames.ts";
import { rawAnswer } from "../raw-answer.ts";
import { type FrameCaller, type FrameService, serveFrames, type ServedFrames } from "./serve-frames.ts";

/** The WebSockets of a server. */
export interface WebSockets {
  /** Takes over a connection that asks to become one, or refuses it. `check` says who is at the other end, or throws why it may not. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, check: () => FrameCaller): void;
  /** Says goodbye to every peer; resolves when what was under way has ended. */
  close(): Promise<void>;
  /** Ends every connection without a word. */
  terminate(): void;
}

/** Whether a request asks for a WebSocket and nothing else: other upgrades are not heeded (RFC 9110 §7.8). */
export function asksForWebSocket(request: IncomingMessage): boolean {
  return request.headers.upgrade?.trim().toLowerCase() === "websocket";
}

export function acceptWebSockets(service: FrameService): WebSockets {
  const { log } = service;
  const { pingIntervalMs } = service.limits;
  const server = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload: MAX_FRAME_BYTES });
  const open = new Map<WebSocket, ServedFrames>();
  const sweep = setInterval(() => {
    const now = performance.now();
    for (const [socket, served] of open) {
      if (now - served.heardAt() > MISSED_PINGS * pingIntervalMs) socket.terminate();
      else served.ping();
    }
  }, pingIntervalMs);
  sweep.unref();

  function serve(socket: WebSocket, caller: FrameCaller): void {
    const { address } = caller;
    socket.binaryType = "nodebuffer";
    const served = serveFrames(service, {
      ...caller,
      socket: {
        send: (bytes) =>
          new Promise((sent) => {
            if (socket.readyState !== WebSocket.OPEN) return sent();
            socket.send(bytes, () => sent());
          }),
        close: (code, reason) => socket.close(code, reason),
        terminate: () => socket.terminate(),
      },
    });
    open.set(socket, served);
    socket.on("message", (data, isBinary) => {
      if (isBinary && data instanceof Buffer) served.receive(data);
      else socket.close(CLOSE.notText, "binary messages only");
    });
    socket.on("error", (error) => log.debug({ address }, `a WebSocket failed: ${error.message}`));
    socket.on("close", () => {
      open.delete(socket);
      served.over();
    });
  }

  return {
    upgrade(request, socket, head, check) {
      // Whoever is refused, or vanishes, does so without an end to this process.
      socket.on("error", () => socket.destroy());
      try {
        const caller = check();
        const path = request.url ?? "";
        if (path !== WEBSOCKET_PATH)
          throw new NexusError("MESSAGE_INVALID", `There is no WebSocket at ${path.slice(0, 200)}, but at ${WEBSOCKET_PATH}.`);
        const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
        if (!offered.includes(SUBPROTOCOL)) throw new NexusError("MESSAGE_INVALID", `The WebSocket does not offer the subprotocol ${SUBPROTOCOL}.`);
        request.headers["sec-websocket-protocol"] = SUBPROTOCOL;
        server.handleUpgrade(request, socket, head, (made) => serve(made, caller));
      } catch (error) {
        socket.end(rawAnswer(publicError(error, log, { method: request.method, path: request.url })), () => socket.destroy());
      }
    },
    async close() {
      clearInterval(sweep);
      await Promise.all([...open.values()].flatMap(({ active }) => [...active]));
      for (const socket of open.keys()) socket.close(CLOSE.goingAway, "closing");
    },
    terminate() {
      for (const socket of open.keys()) socket.terminate();
    },
  };
}
