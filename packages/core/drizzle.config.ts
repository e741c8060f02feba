import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "postgresql",
  schema: "./src/store/schema/index.ts",
  out: "./migrations",
  casing: "snake_case",
  migrations: { schema: "public", table: "schema_migrations" },
});
