/**
 * better-auth on our own tables. Its adapter for drizzle would load drizzle a second time, as ES modules (0.3 seconds and 145 MB, see
 * `core/store/drizzle.ts`); this one is the part of it that signing in needs, and refuses the rest by name.
 *
 * @module
 */
import { NexusError } from "@ciphernx/core/errors";
import { newId } from "@ciphernx/core/ids";
import { type Store, userAccounts, users, userSessions } from "@ciphernx/core/store";
import { and, asc, desc, eq, gt, gte, inArray, lt, lte, ne } from "@ciphernx/core/store/sql";
import { type CleanedWhere, createAdapterFactory, type CustomAdapter } from "better-auth/adapters";

/** Tables by better-auth's names. Short-lived values of its own (`verification`) are none of ours. */
const TABLES = { user: users, session: userSessions, account: userAccounts } as const;
const IDS = { user: "user", session: "userSession", account: "account" } as const;
const COMPARE = { eq, ne, lt, lte, gt, gte } as const;

type Table = (typeof users | typeof userSessions | typeof userAccounts) & Record<string, never>;

/** A fresh id for a row of one of better-auth's tables. */
export function newRowId({ model }: { readonly model: string }): string {
  return newId(IDS[known(model)]);
}

/** The adapter that better-auth is given as its database. */
export function authStore({ db }: Pick<Store, "db">): ReturnType<typeof createAdapterFactory> {
  const adapter: CustomAdapter = {
    async create({ model, data }) {
      const [row] = await db
        .insert(tableOf(model))
        .values(data as never)
        .returning();
      return row as never;
    },
    async update({ model, where, update }) {
      const [row] = await db
        .update(tableOf(model))
        .set(update as never)
        .where(condition(model, where))
        .returning();
      return (row ?? null) as never;
    },
    async updateMany({ model, where, update }) {
      const rows = await db
        .update(tableOf(model))
        .set(update as never)
        .where(condition(model, where))
        .returning();
      return rows.length;
    },
    async findOne({ model, where }) {
      const [row] = await db.select().from(tableOf(model)).where(condition(model, where)).limit(1);
      return (row ?? null) as never;
    },
    async findMany({ model, where = [], limit, offset = 0, sortBy }) {
      const query = db.select().from(tableOf(model)).where(condition(model, where)).limit(limit).offset(offset);
      if (sortBy === undefined) return (await query) as never;
      return (await query.orderBy((sortBy.direction === "asc" ? asc : desc)(column(model, sortBy.field)))) as never;
    },
    async delete({ model, where }) {
      await db.delete(tableOf(model)).where(condition(model, where));
    },
    async deleteMany({ model, where }) {
      return (await db.delete(tableOf(model)).where(condition(model, where)).returning()).length;
    },
    async count({ model, where = [] }) {
      return db.$count(tableOf(model), condition(model, where));
    },
  };
  return createAdapterFactory({
    config: { adapterId: "nexus", supportsJSON: true, supportsNumericIds: false, transaction: false },
    adapter: () => adapter,
  });
}

function known(model: string): keyof typeof TABLES {
  if (Object.hasOwn(TABLES, model)) return model as keyof typeof TABLES;
  throw new NexusError("INTERNAL", `better-auth asked for its table ${model}, which there is not.`);
}

function tableOf(model: string): Table {
  return TABLES[known(model)] as unknown as Table;
}

function column(model: string, field: string): (typeof users)["id"] {
  const table = TABLES[known(model)] as unknown as Readonly<Record<string, (typeof users)["id"]>>;
  const found = Object.hasOwn(table, field) ? table[field] : undefined;
  if (found === undefined) throw new NexusError("INTERNAL", `better-auth asked for the column ${field} of ${model}, which there is not.`);
  return found;
}

function condition(model: string, where: readonly CleanedWhere[]): ReturnType<typeof and> {
  return and(
    ...where.map(({ field, operator = "eq", value, connector }, index) => {
      if (connector === "OR" && (index > 0 || where.length > 1)) throw new NexusError("INTERNAL", "better-auth asked for one condition or another.");
      if (operator === "in") return inArray(column(model, field), value as string[]);
      if (!(operator in COMPARE)) throw new NexusError("INTERNAL", `better-auth asked for the condition ${operator}.`);
      return COMPARE[operator as keyof typeof COMPARE](column(model, field), value as never);
    }),
  );
}
