export type { Colours } from "./colours.ts";
export { createOutput, type Output, type OutputMode, type OutputStream, type Result, type Terminal } from "./output.ts";
export { type Column, cut, formatFields, formatTable } from "./table.ts";
export { formatBytes, formatSeconds, formatShare, formatTime } from "./units.ts";
