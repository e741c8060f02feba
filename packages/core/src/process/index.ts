export { collectBulkMemory } from "./bulk-memory.ts";
