/**
 * A node in a browser's worker: the same code as in Node (terms of a task, fit, encoding, signatures), over one WebSocket
 * (`@ciphernx/protocol/wire/websocket/browser`) whose every exchange it signs, with its key in the browser's database and the rest of what it keeps in memory.
 *
 * @module
 */
export {
  anchorBrowserNode,
  type BrowserJoinOptions,
  type BrowserNode,
  forgetBrowserNode,
  holdBrowserNode,
  joinInBrowser,
} from "./browser-identity.ts";
export type { RosterAnchor } from "./follow-roster.ts";
export type { NodeIdentity } from "./identity.ts";
export { type NodeEvent, runNode, type RunNodeOptions } from "./run-node.ts";
export { registerDataset } from "./register-dataset.ts";
export { SOFTWARE_VERSION } from "./software-version.ts";
