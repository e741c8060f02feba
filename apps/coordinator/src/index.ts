export { type Coordinator, coordinatorFile, type CoordinatorOptions, startCoordinator } from "./coordinator.ts";
export { ownerTokenPath } from "./owner-token.ts";
