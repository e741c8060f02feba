/** The coordinator's one port. @module */
export type { WireLimits } from "./limits.ts";
export type { Site, SiteRequest } from "./site-routes.ts";
export type { CallObservation } from "./interceptors.ts";
export { startWireServer, type WireServer, type WireServerOptions } from "./wire-server.ts";
export type { TlsListener, TlsListenOptions, TlsServerCredentials } from "./listen-tls.ts";
export { callerSigner, type CheckSignature, type SignedRequest } from "./signed-requests.ts";
export { type TlsPeer, tlsPeerKey, type WireCall } from "./tls-peer.ts";
