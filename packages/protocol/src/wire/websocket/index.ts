/** The Transport over one WebSocket, in Node. @module */
export { webSocketTransport, type WebSocketTransportOptions } from "./transport.ts";
