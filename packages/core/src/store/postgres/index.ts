export { locatePackage } from "./binaries.ts";
export { type EmbeddedPostgres, type EmbeddedPostgresOptions, openEmbeddedPostgres } from "./embedded-postgres.ts";
