export { canonicalJson, hashDocument, type Json } from "./canonical-json.ts";
export { readDocument } from "./document.ts";
export { editDistance, nearest } from "./nearest.ts";
export { nameSchema, seedSchema, sha256Schema } from "./primitives.ts";
export { defineSection, type Refusal, type SpecSection } from "./section.ts";
export { findMistakes, formatPath, parseDocumentWith, type SpecMistake } from "./validate.ts";
