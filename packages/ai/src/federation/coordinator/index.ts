export { acknowledge, openTask, type OpenTask, refuseTask, type Refused, type Report } from "./acknowledge.ts";
export { taskFileSizeBytes } from "../round/upload-layout.ts";
export { cancelledTasks, createDeliveries, type Deliveries, type Delivery } from "./deliver.ts";
export { answersKey, type EngineContext, nodeKey, runKey } from "./engine-context.ts";
export { type Engine, launchEngine, type StartRunOptions } from "./engine.ts";
export { listEvents } from "./event-log.ts";
export { createRunDocumentCache, type PartyPlace, type RunDocumentCache, type RunDocuments } from "./run-documents.ts";
export { toldWaiting } from "./told-waiting.ts";
export { takeSumStep } from "./sum/take-sum-step.ts";
