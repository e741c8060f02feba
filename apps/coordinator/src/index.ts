export { type Coordinator, coordinatorFile, type CoordinatorOptions, type PublicAddress, startCoordinator } from "./coordinator.ts";
export { ownerTokenPath } from "./owner-token.ts";
export type { OidcOptions } from "./people/index.ts";
export type { TlsOptions } from "./tls/open-tls.ts";
