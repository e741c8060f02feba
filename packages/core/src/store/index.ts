export { databaseError, isUniqueViolation } from "./database-error.ts";
export { folderHolder } from "./folder-lock.ts";
export type { StoreLog } from "./log.ts";
export { type Database, openStore, type OpenStoreOptions, type Store, type Transaction } from "./open-store.ts";
export { type EmbeddedPostgres, type EmbeddedPostgresOptions, locatePackage, openEmbeddedPostgres } from "./postgres/index.ts";
export { createPool, type DatabasePool, endPool } from "./pool.ts";
export { prepared } from "./prepared.ts";
export { retrying, type RetryingOptions } from "./retrying.ts";
export * from "./schema/index.ts";
