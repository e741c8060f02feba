/**
 * A node in a browser's worker: the same code as in Node (terms of a task, fit, encoding, signatures), over a Transport that the page brings
 * (`@ciphernx/protocol/wire/websocket/browser`), with what it keeps in memory.
 *
 * @module
 */
export type { NodeIdentity } from "./identity.ts";
export { type NodeEvent, runNode, type RunNodeOptions } from "./run-node.ts";
export { registerDataset } from "./register-dataset.ts";
export { SOFTWARE_VERSION } from "./software-version.ts";
