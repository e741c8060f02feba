import { execFileSync, spawnSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exportSigningKey, generateSigningKey } from "@ciphernx/crypto/keys";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { describe, expect, it } from "vitest";
import { NEXUS, runNexus } from "../testing/nexus-process.ts";
import { serviceUnit } from "./unit.ts";

const UNIT = { description: "A node", command: ["/usr/bin/node", "nexus.js"], folder: "/srv/clinic", user: "clinic" };

function has(program: string): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false; // not installed
  }
}

/** What systemd finds wrong with a unit. */
async function complaints(text: string): Promise<string> {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "nexus-test.service");
  await writeFile(file, text);
  // Its words count, whatever it exits with: what it does not know it only warns of.
  return spawnSync("systemd-analyze", ["verify", "--man=no", file], { encoding: "utf8" }).stderr;
}

describe("a unit for systemd", () => {
  it("escapes what systemd would read otherwise", () => {
    const unit = serviceUnit({ ...UNIT, command: ["/usr/bin/node", 'a "b" $HOME 100%', "C:\\x"], folder: "/srv/my clinic" });
    expect(unit).toContain(String.raw`ExecStart=/usr/bin/node "a \"b\" $$HOME 100%%" "C:\\x"`);
    expect(unit).toContain('ReadWritePaths="/srv/my clinic"\n');
    expect(() => serviceUnit({ ...UNIT, folder: "/srv/x\nExecStartPre=/bin/evil" })).toThrow(expect.objectContaining({ code: "USAGE" }));
    expect(() => serviceUnit({ ...UNIT, description: "node\r[Service]" })).toThrow(expect.objectContaining({ code: "USAGE" }));
  });

  it("limits what the service may use", () => {
    const unit = serviceUnit({ ...UNIT, cpus: 1.5, memoryBytes: 2 ** 31, credentials: { "ca-passphrase": "/etc/nexus/ca.passphrase" } });
    for (const line of ["CPUQuota=150%", "MemoryMax=2147483648", "LoadCredential=ca-passphrase:/etc/nexus/ca.passphrase", "NoNewPrivileges=yes"])
      expect(unit.split("\n")).toContain(line);
    expect(serviceUnit(UNIT)).not.toMatch(/CPUQuota|MemoryMax|LoadCredential/);
  });

  it.skipIf(!has("systemd-analyze"))("is one that systemd understands", async () => {
    const unit = serviceUnit({
      ...{ ...UNIT, command: [process.execPath, "a $word 100%", "it's"], user: "root", folder: "/", cpus: 0.5, memoryBytes: 2 ** 30 },
      credentials: { "ca-passphrase": "/etc/hostname" },
    });
    expect(await complaints(unit)).not.toContain("nexus-test");
    expect(await complaints(unit.replace("RestrictRealtime", "RestrictRealtme"))).toContain("RestrictRealtme");
  });
});

describe("nexus node install and nexus coordinator install", () => {
  it("print a unit that runs this very program on the folder, and write it only where they are told to", async () => {
    await using folder = await temporaryFolder();
    const node = join(folder.path, "clinic");
    await mkdir(node);
    const key = Buffer.from(await exportSigningKey(await generateSigningKey(), "pkcs8")).toString("base64");
    await writeFile(join(node, "node.key"), key, { mode: 0o600 });
    const identity = { formatVersion: 1, nodeId: "nod_1", name: "clinic-a", url: "https://hospital.example:7701", projectId: "prj_1" };
    await writeFile(join(node, "node.json"), JSON.stringify(identity));
    const { stdout } = await runNexus(["node", "install", "--folder", node, "--memory", "2GiB", "--cpus", "2", "--upload-limit", "2MB/s"]);
    const [, command] = /^ExecStart=(.*)$/m.exec(stdout) ?? [];
    expect(command).toContain(`${NEXUS} node run --folder ${node} --upload-limit 2000kB/s --memory 2147483648B`);
    expect(command).toContain(process.execPath);
    expect(stdout).toContain("Description=Cipher Nexus node clinic-a of https://hospital.example:7701\n");
    expect(stdout).toContain("CPUQuota=200%\n");
    expect(stdout).not.toContain(key);

    const file = join(folder.path, "nexus-node.service");
    const write = ["node", "install", "--folder", node, "--write", file];
    expect(await runNexus([...write, "--quiet"])).toMatchObject({ code: 0, stdout: `${file}\n` });
    const written = await readFile(file, "utf8");
    expect(written).toContain(`ReadWritePaths=${node}\n`);
    expect(await runNexus(write)).toMatchObject({ code: 2, stderr: expect.stringContaining("--yes") as string });
    expect(await runNexus([...write.slice(0, -1), join(folder.path, "unit.txt")])).toMatchObject({ code: 2 });

    const home = join(folder.path, "home");
    const up = await runNexus(["coordinator", "install", "--home", home, "--listen", "0.0.0.0:7701", "--ca-passphrase-file", "/etc/nexus/pass"]);
    expect(up.stdout).toContain(`${NEXUS} up --home ${home} --port 7700 --listen 0.0.0.0:7701\n`);
    expect(up.stdout).toContain("LoadCredential=ca-passphrase:/etc/nexus/pass\n");
  });
});
