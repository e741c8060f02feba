/**
 * A node in a browser's worker: the same code as in Node (terms of a task, fit, encoding, signatures), over one WebSocket
 * (`@ciphernx/protocol/wire/websocket/browser`) whose every exchange it signs. Its key, the roster, the heads of the audit log and what it remembers of protected sums lie in the browser's
 * database; approvals and values of tensors that it does not share are in memory.
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
export type { SumJournal } from "./sum/sum-journal.ts";
export { registerDataset } from "./register-dataset.ts";
export { SOFTWARE_VERSION } from "./software-version.ts";
