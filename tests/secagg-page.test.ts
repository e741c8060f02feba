import { readFileSync } from "node:fs";
import { join } from "node:path";
import { secAggParameters } from "@ciphernx/crypto/secagg/parameters";
import { describe, expect, it } from "vitest";
import { ROOT } from "./workspaces.ts";

const SECAGG = "packages/crypto/src/secagg";
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

describe("docs/protocol/secagg.md", () => {
  const page = read("docs/protocol/secagg.md");
  const sources = ["attempt.ts", "messages/advertisement.ts", "messages/share.ts", "messages/survivors.ts", "masking/mask-key.ts"];

  it("names every reason for which somebody refuses", () => {
    const reasons = [...read(`${SECAGG}/violation.ts`).matchAll(/^ {2}\| "([a-z-]+)"/gm)].map(([, reason]) => reason!);
    expect(reasons.length).toBeGreaterThan(10);
    expect(reasons.filter((reason) => !page.includes(`\`${reason}\``))).toEqual([]);
  });

  it("names every domain, and no other", () => {
    const domains = sources.flatMap((source) =>
      [...read(`${SECAGG}/${source}`).matchAll(/"ciphernx\.secagg\.v1\/([a-z]+)"/g)].map(([, name]) => name!),
    );
    const onPage = [...page.matchAll(/C\("([a-z]+)"/g)].map(([, name]) => name!);
    expect(new Set(onPage)).toEqual(new Set(domains));
  });

  it("has the parameters that the code works out", () => {
    const rows = [
      ...page.matchAll(/^\| (\d+) \| (1\/3|[\d.]+) \| ([\d.]+) \| (complete|sampled) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$/gm),
    ];
    expect(rows).toHaveLength(9);
    for (const [, parties, corruption, dropout, graph, ...numbers] of rows) {
      const [holders, threshold, corrupt, leastSurvivors, mostChosenBy] = numbers.map(Number);
      expect(
        secAggParameters(Number(parties), { corruption: corruption === "1/3" ? 1 / 3 : Number(corruption), dropout: Number(dropout) }),
      ).toMatchObject({
        ...{ graph, parties: Number(parties), holders, threshold, corrupt, leastSurvivors, mostChosenBy },
      });
    }
  });

  it("shows test vectors that the code is held to", () => {
    const vectors = read(`${SECAGG}/secagg.vectors.ts`);
    const shown = [...page.matchAll(/\b[0-9a-f]{32,}\b/g)].map(([hex]) => hex);
    expect(shown).toHaveLength(10);
    expect(shown.filter((hex) => !vectors.includes(`"${hex}"`))).toEqual([]);
  });
});
