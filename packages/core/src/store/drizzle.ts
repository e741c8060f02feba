/**
 * drizzle-orm by way of `require`. Its `package.json` is 180 KB, nearly all `exports`, which Node's loader
 * of ES modules parses anew for each of drizzle's hundred files: 0.6 seconds and 190 MB at every start, where the
 * same code as CommonJS takes 0.1 seconds and 20 MB. Nothing in the product imports drizzle-orm in another way.
 *
 * @module
 */
import { createRequire } from "node:module";
import type * as Orm from "drizzle-orm";
import type * as Migrator from "drizzle-orm/migrator";
import type * as NodePostgres from "drizzle-orm/node-postgres";
import type * as NodePostgresMigrator from "drizzle-orm/node-postgres/migrator";
import type * as PgCore from "drizzle-orm/pg-core";

const require = createRequire(import.meta.url);

/** Operators and the `sql` template. */
export const orm = require("drizzle-orm") as typeof Orm;
/** Tables, columns and constraints. */
export const pgCore = require("drizzle-orm/pg-core") as typeof PgCore;
/** The driver. */
export const nodePostgres = require("drizzle-orm/node-postgres") as typeof NodePostgres;
/** Migration files and their application. */
export const migrator = {
  ...(require("drizzle-orm/migrator") as typeof Migrator),
  ...(require("drizzle-orm/node-postgres/migrator") as typeof NodePostgresMigrator),
};
