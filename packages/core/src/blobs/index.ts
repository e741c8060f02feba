export { type BlobStore, isSha256, type Sha256, type StagedBlob } from "./blob-store.ts";
export { folderBlobStore } from "./folder-blob-store.ts";
export { memoryBlobStore } from "./memory-blob-store.ts";
