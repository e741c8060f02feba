import { describe, expect, it } from "vitest";
import { openStore, projects } from "../index.ts";
import { temporaryFolder, testDatabase } from "./index.ts";

describe("testDatabase", () => {
  it("gives every caller an empty database with the schema, on one server", async () => {
    await using folder = await temporaryFolder();
    const both = await Promise.all([testDatabase(), testDatabase()]);
    await using one = both[0];
    await using two = both[1];
    expect(new URL(one.databaseUrl).port).toBe(new URL(two.databaseUrl).port);
    await using first = await openStore({ dataDir: `${folder.path}/one`, databaseUrl: one.databaseUrl });
    await using second = await openStore({ dataDir: `${folder.path}/two`, databaseUrl: two.databaseUrl });
    await first.db.insert(projects).values({ id: "prj_a", name: "a" });
    expect(await first.db.select().from(projects)).toHaveLength(1);
    expect(await second.db.select().from(projects)).toEqual([]);
  });
});
