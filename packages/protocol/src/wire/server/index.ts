/** The coordinator's one port. @module */
export type { WireLimits } from "./limits.ts";
export { startWireServer, type WireServer, type WireServerOptions } from "./wire-server.ts";
