export { type CommandTree, complete } from "./complete.ts";
export { completionScript, SHELLS } from "./scripts.ts";
export { tellCompletions } from "./tell-completions.ts";
