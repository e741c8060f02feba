import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { describe, expect, it } from "vitest";
import { runNexus } from "../testing/nexus-process.ts";
import { findingsOf } from "./findings.fixture.ts";

describe("the doctor", () => {
  it("examines a coordinator that runs and a node's folder", { timeout: 60_000 }, async () => {
    await using folder = await temporaryFolder();
    const home = join(folder.path, "home");
    const node = join(folder.path, "clinic");
    const env = { NEXUS_HOME: home };
    const up = await runNexus(["up", "--detach", "--port", "0", "--json"], { env });
    const { url } = (JSON.parse(up.stdout) as { data: { url: string } }).data;
    try {
      const { token } = (JSON.parse((await runNexus(["node", "token", "--approved", "--json"], { env })).stdout) as { data: { token: string } }).data;
      await runNexus(["node", "join", url, "--token", token, "--name", "clinic", "--folder", node], { env });
      const csv = join(folder.path, "visits.csv");
      await writeFile(csv, `age,outcome\n${Array.from({ length: 8 }, (_, row) => `${30 + row},${row % 2 === 0 ? "ill" : "well"}\n`).join("")}`);
      await runNexus(["dataset", "add", "visits", "--folder", node, "--csv", csv, "--label", "outcome"], { env });

      const well = await findingsOf(["--folder", node], env);
      expect(well.code).toBe(0);
      expect(well.of("coordinator")).toMatchObject([{ state: "good", found: expect.stringContaining(url) as string }]);
      expect(well.of("access")).toMatchObject([{ state: "good", found: "the token opens it; 0 of 1 nodes online" }]);
      expect(well.of("clock")).toMatchObject([{ state: "good" }]);
      expect(well.of("node")).toMatchObject([{ state: "warning", found: "clinic does not run" }]);
      expect(well.of("dataset")).toMatchObject([{ state: "good", found: "visits: 8 rows to learn from, 0 held out" }]);
      expect(well.of("network")).toMatchObject([{ state: "good" }]);

      await chmod(join(node, "node.key"), 0o644);
      await writeFile(csv, "age,outcome\nforty,ill\n");
      const ill = await findingsOf(["--folder", node, "--token", "wrong"], env);
      expect(ill.error?.message).toBe("3 problems found: access, key, dataset.");
      expect(ill.of("key")).toMatchObject([{ fix: expect.stringContaining("chmod 600") as string }]);
    } finally {
      await runNexus(["down"], { env });
    }
  });
});
