import { execFileSync } from "node:child_process";
import { chmod, cp, lstat, mkdir, readdir, readFile, rm, stat, statfs, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, describe, expect, it } from "vitest";
import { databaseError } from "../database-error.ts";
import { retrying } from "../retrying.ts";
import { temporaryFolder } from "../testing/index.ts";
import { processesIn, until } from "../testing/process-fixture.ts";
import { chooseAccount, databaseAccount, parsePasswd } from "./account.ts";
import { locatePackage, prepareBinaries } from "./binaries.ts";
import { runToEnd } from "./child-process.ts";
import { lastWords, postgresFailed } from "./cluster.ts";
import { openEmbeddedPostgres } from "./embedded-postgres.ts";
import { isNetworkType, mountOf, networkMountOf } from "./file-system.ts";
import { freeLoopbackPort } from "./loopback-port.ts";
import { parsePostmasterFile, stopOrphan } from "./postmaster-file.ts";
import { firstUnreachable, withAncestors } from "./reach.ts";

const linux = process.platform === "linux";
const temporary = await temporaryFolder();
const root = temporary.path;
afterAll(async () => {
  if (linux) await until(async () => (await processesIn(root)).length === 0);
  await temporary[Symbol.asyncDispose]();
});

const account = await databaseAccount(undefined);

/** Whether this machine lets the test mount a file system of its own. */
function canMount(): boolean {
  try {
    execFileSync("unshare", ["--mount", "true"], { stdio: "ignore" });
    return linux && process.getuid?.() === 0;
  } catch {
    return false;
  }
}

describe("the account PostgreSQL runs under", () => {
  const accounts = parsePasswd(
    "root:x:0:0:root:/root:/bin/bash\n# note\nnobody:x:65534:65534::/:/bin/false\npostgres:x:101:104::/var:/bin/sh\nana:x:1000:1000::/home/ana:\n\nbad:x::",
  );

  it("is whoever owns the cluster, else postgres, else nobody", () => {
    expect(accounts.map((one) => one.name)).toEqual(["root", "nobody", "postgres", "ana"]);
    expect(chooseAccount(accounts, 1000)?.name).toBe("ana");
    expect(chooseAccount(accounts, undefined)).toEqual({ name: "postgres", uid: 101, gid: 104 });
    expect(chooseAccount(accounts, 0)?.name).toBe("postgres");
    expect(chooseAccount(accounts, 4711)?.name).toBe("postgres");
    expect(chooseAccount(accounts.slice(0, 2), undefined)?.name).toBe("nobody");
    expect(chooseAccount(accounts.slice(0, 1), undefined)).toBeUndefined();
  });

  it.skipIf(account === undefined)("is stopped by the first folder it may not enter", async () => {
    if (account === undefined) return;
    const inner = join(root, "a b", "c'd", "e");
    await mkdir(inner, { recursive: true });
    expect(await firstUnreachable(inner, account)).toBeUndefined();
    await chmod(join(root, "a b"), 0o700);
    expect(await firstUnreachable(inner, account)).toBe(join(root, "a b"));
    expect(withAncestors("/x/y")).toEqual(["/", "/x", "/x/y"]);
  });
});

describe("mounts", () => {
  // The first line is the example of proc(5).
  const mountinfo = [
    "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue",
    "1 0 8:1 / / rw - ext4 /dev/sda1 rw",
    "40 1 0:40 / /home/ana\\040b rw,relatime shared:2 - nfs4 server:/export rw",
    "41 40 0:41 / /home/ana\\040b/local rw - xfs /dev/sdb rw",
    "42 1 0:42 / /Users rw - fuse.sshfs me@host: rw",
  ].join("\n");

  it("are found by the longest mount point that holds the path", () => {
    expect(mountOf(mountinfo, "/mnt2/x")).toEqual({ mountPoint: "/mnt2", type: "ext3" });
    expect(mountOf(mountinfo, "/mnt22")).toEqual({ mountPoint: "/", type: "ext4" });
    expect(mountOf(mountinfo, "/home/ana b/data")).toEqual({ mountPoint: "/home/ana b", type: "nfs4" });
    expect(mountOf(mountinfo, "/home/ana b/local/data")?.type).toBe("xfs");
    expect(["nfs4", "fuse.sshfs", "9p", "cifs"].every(isNetworkType)).toBe(true);
    expect(["ext4", "xfs", "btrfs", "overlay", "tmpfs", "zfs", "fuse.fuse-overlayfs"].some(isNetworkType)).toBe(false);
  });

  it.skipIf(!linux)("of this machine agree with what the kernel says of the folder", async () => {
    const found = mountOf(await readFile("/proc/self/mountinfo", "utf8"), root);
    expect((await statfs(found?.mountPoint ?? "")).type).toBe((await statfs(root)).type);
    expect(await networkMountOf(root)).toBeUndefined();
  });
});

describe("postmaster.pid", () => {
  it("tells the process and its status", () => {
    expect(parsePostmasterFile("8861\n/data\n1795382238\n23456\n\n127.0.0.1\n 10043914         4\nready   \n")).toEqual({
      pid: 8861,
      status: "ready",
    });
    expect(parsePostmasterFile("8861\n/data\n1795382238\n23456\n")).toEqual({ pid: 8861, status: undefined });
    expect(parsePostmasterFile("-12\n/data\n")?.pid).toBe(12);
    expect(parsePostmasterFile("")).toBeUndefined();
  });

  it("is forgotten, and the process left alone, when its number belongs to another program", async () => {
    const data = join(root, "recycled");
    await mkdir(data);
    await writeFile(join(data, "postmaster.pid"), `${process.ppid}\n${data}\n`);
    expect(await stopOrphan(data)).toBeUndefined();
    expect(await readdir(data)).toEqual([]);
    expect(process.kill(process.ppid, 0)).toBe(true);
  });
});

describe("PostgreSQL's words", () => {
  it("end the message, and tell a full disk", () => {
    expect(lastWords("a\n\nb\nc\nd\ne\nf\ng\n")).toBe("b\nc\nd\ne\nf\ng");
    expect(postgresFailed("It failed", "FATAL: no").message).toBe("It failed:\nFATAL: no");
    expect(postgresFailed("x", "PANIC:  could not write: No space left on device").code).toBe("DISK_FULL");
  });
});

describe("PostgreSQL's programs", () => {
  it("get the library links that the package could not carry", async () => {
    const { root: from, version } = await locatePackage();
    const place = join(root, "package");
    await cp(from, place, { recursive: true, verbatimSymlinks: true });
    const lib = join(place, "native", "lib");
    for (const name of await readdir(lib)) if ((await lstat(join(lib, name))).isSymbolicLink()) await rm(join(lib, name));
    const broken = await runToEnd(join(place, "native", "bin", "postgres"), ["--version"], { account });
    expect(broken.exitCode).not.toBe(0);

    const installed = { root: place, version };
    const both = await Promise.all([prepareBinaries(installed, root, undefined), prepareBinaries(installed, root, undefined)]);
    expect(both[0].postgres).toBe(join(place, "native", "bin", "postgres"));
    expect((await runToEnd(both[0].postgres, ["--version"], { account })).stdout).toMatch(/PostgreSQL\) 18/);

    if (account === undefined) return;
    // The same package where the account cannot read it: copied beside the data, in place of the copy of another version.
    const folder = join(root, "beside");
    await mkdir(join(folder, "binaries-1"), { recursive: true });
    await chmod(place, 0o700);
    const copied = await prepareBinaries(installed, folder, account);
    expect(copied.postgres).toBe(join(folder, `binaries-${version}`, "bin", "postgres"));
    expect((await runToEnd(copied.postgres, ["--version"], { account })).stdout).toMatch(/PostgreSQL\) 18/);
    expect(await readdir(folder)).toEqual([`binaries-${version}`]);
  });
});

describe("the server", () => {
  it("takes a port that is free and outside the range of outgoing connections", async () => {
    const port = await freeLoopbackPort();
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(32_768);
    const server = createServer().listen(port, "127.0.0.1");
    await new Promise((listening) => server.once("listening", listening));
    await new Promise((closed) => server.close(closed));
  });

  it("that does not start tells why in its own words, and leaves nothing running", async () => {
    const folder = join(root, "misconfigured");
    await mkdir(folder);
    const opening = openEmbeddedPostgres({ folder, settings: { shared_buffers: "plenty" } });
    await expect(opening).rejects.toMatchObject({
      code: "DATABASE_FAILED_TO_START",
      message: expect.stringContaining('invalid value for parameter "shared_buffers": "plenty"'),
    });
    if (linux) expect(await processesIn(folder)).toEqual([]);
    await using mended = await openEmbeddedPostgres({ folder });
    expect(mended.pid).toBeGreaterThan(0);
    await mended.close();

    await rm(join(folder, "postgres", "password"));
    await expect(openEmbeddedPostgres({ folder })).rejects.toMatchObject({
      code: "DATA_FOLDER_UNUSABLE",
      message: expect.stringContaining("password"),
    });
  });

  it.skipIf(!canMount())("says DISK_FULL when there is no room for it, and starts when there is", async () => {
    const folder = join(root, "full");
    await mkdir(folder);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=90m,mode=755", "tmpfs", folder]);
    try {
      const filler = join(folder, "filler");
      await writeFile(filler, new Uint8Array(70 * 1024 * 1024));
      await expect(openEmbeddedPostgres({ folder })).rejects.toMatchObject({
        code: "DISK_FULL",
        message: expect.stringContaining("No space left on device"),
      });
      await rm(filler);

      await using server = await openEmbeddedPostgres({ folder });
      const query = async (text: string, values: unknown[] = []): Promise<unknown[]> => {
        const client = new Client({ connectionString: server.databaseUrl });
        client.on("error", () => {}); // the query in flight rejects as well
        try {
          await client.connect();
          return (await client.query(text, values)).rows;
        } finally {
          await client.end();
        }
      };
      await query("create table kept (number int, text text)");
      await query("insert into kept values (1, 'acknowledged')");
      const room = (await statfs(folder)).bavail * (await statfs(folder)).bsize;
      await writeFile(filler, new Uint8Array(Math.max(0, room - 3 * 1024 * 1024)));
      const failed = await query("insert into kept select n, md5(n::text) from generate_series(1, 200000) n").catch((error: unknown) =>
        databaseError(error),
      );
      // Where the space ends first decides: a table says so, the log of transactions takes the server down and back.
      expect(failed).toMatchObject({ code: expect.stringMatching(/^(DISK_FULL|DATABASE_UNAVAILABLE)$/), retryable: true });
      await rm(filler);
      expect(await retrying(() => query("select * from kept"))).toEqual([{ number: 1, text: "acknowledged" }]);
      expect((await stat(join(folder, "postgres", "data"))).isDirectory()).toBe(true);
    } finally {
      await until(async () => (await processesIn(folder)).length === 0);
      execFileSync("umount", [folder]);
    }
  });
});
