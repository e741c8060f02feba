export type { Colours } from "./colours.ts";
export { createOutput, type Output, type OutputMode, type OutputStream, type Result } from "./output.ts";
export { type Column, formatFields, formatTable } from "./table.ts";
export { formatBytes, formatSeconds, formatShare, formatTime } from "./units.ts";
