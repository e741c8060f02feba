export { type Answer, answerTask, type AnswerTaskOptions } from "./answer-task.ts";
export type { NodeIdentity } from "./identity.ts";
export { folderKeptValues } from "./kept-folder.ts";
export type { KeptAfter, KeptValues } from "./kept-values.ts";
export { type NodeEvent, runNode, type RunNodeOptions } from "./run-node.ts";
export { type NodeSession, openSession, type OpenSessionOptions } from "./session.ts";
export { type HeldNode, holdNode, joinNode, type Joined, type JoinedNode, type JoinOptions, loadIdentity } from "./node-folder.ts";
export { type DatasetReference, registerDataset } from "./register-dataset.ts";
export { SOFTWARE_VERSION } from "./software-version.ts";
