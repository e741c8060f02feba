/**
 * drizzle's operators for those who query the store. Import them from here rather than from `drizzle-orm`, whose
 * ES modules take Node half a second and 130 MB to load (`drizzle.ts` says why).
 *
 * @module
 */
import { orm } from "./drizzle.ts";

export const { and, asc, desc, eq, gt, gte, inArray, isNull, lt, lte, max, ne, notExists, notInArray, or, sql } = orm;
