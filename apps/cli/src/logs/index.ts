export { formatEntry, type Level, LEVELS, type LogEntry, parseEntry } from "./format-entry.ts";
export { coordinatorLog, readLog } from "./log-file.ts";
