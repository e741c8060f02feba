import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { nodeUnit } from "./unit.ts";

const unit = (change: Partial<Parameters<typeof nodeUnit>[0]> = {}) =>
  nodeUnit({
    ...{ name: "clinic-a", node: process.execPath, command: process.argv[1]!, folder: "/srv/clinic a/100%", user: userInfo().username },
    words: ["--upload-limit", "2000kB/s"],
    ...change,
  });

describe("a node's unit", () => {
  it("names what is run, quoted where systemd would read it otherwise", () => {
    expect(unit()).toContain('node run --folder "/srv/clinic a/100%%" --upload-limit 2000kB/s\n');
    expect(unit({ folder: '/srv/$HOME/"x"' })).toContain('--folder "/srv/$$HOME/\\"x\\""');
  });

  it("has limits where they are given, and none where not", () => {
    expect(unit({ cpus: 1.5, memoryBytes: 4_000_000_000 })).toMatch(/CPUQuota=150%\nMemoryMax=4000000000\n/);
    expect(unit()).not.toMatch(/CPUQuota|MemoryMax|EnvironmentFile/);
    expect(unit({ environmentFile: "/etc/nexus.env" })).toContain("EnvironmentFile=/etc/nexus.env\n");
  });

  it("is what systemd takes", async () => {
    const folder = await mkdtemp(join(tmpdir(), "nexus-unit-"));
    try {
      const file = join(folder, "nexus-clinic-a.service");
      await writeFile(file, unit({ cpus: 2, memoryBytes: 4_000_000_000 }));
      const { error, status, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", "--recursive-errors=no", file], { encoding: "utf8" });
      if (error !== undefined) return console.log("not verified: this machine has no systemd-analyze");
      expect({ status, about: stderr.split("\n").filter((line) => line.includes("nexus-clinic-a")) }).toEqual({ status: 0, about: [] });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
