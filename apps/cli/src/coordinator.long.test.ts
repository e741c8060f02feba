import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { finished, NEXUS, runNexus, startNexus, WITHOUT_EXECVE } from "./testing/nexus-process.ts";

interface Envelope {
  readonly status: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: string; readonly message: string };
}

let home: string;
let ownerLink: unknown;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "nexus-cli-"));
  await chmod(folder, 0o755); // as root, the database runs as another user, who must reach its files
  home = join(folder, "home");
});

afterAll(async () => {
  await nexus("down");
  await rm(join(home, ".."), { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});

async function nexus(...args: readonly string[]) {
  const { code, stdout, stderr } = await runNexus([...args, "--home", home, "--json"]);
  return { code, envelope: JSON.parse(stdout) as Envelope, stderr };
}

/** The first line that a running command prints. */
async function firstLine(child: ChildProcessByStdio<Writable, Readable, Readable>): Promise<Envelope> {
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return JSON.parse(line) as Envelope;
}

async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe("nexus up and down", () => {
  it("run a coordinator in the background that the other commands find", async () => {
    const up = await nexus("up", "--detach", "--port", "0");
    expect(up).toMatchObject({ code: 0, envelope: { status: "ok", data: { home } }, stderr: "" });
    ownerLink = up.envelope.data!["ownerLink"];
    expect(await nexus("node", "list")).toMatchObject({ code: 0, envelope: { data: { nodes: [] } } });
    expect(await nexus("dataset", "list")).toMatchObject({ code: 0, envelope: { data: { datasets: [] } } });
    expect(await nexus("run", "list", "--state", "running")).toMatchObject({ code: 0, envelope: { data: { runs: [] } } });
    expect(await nexus("model", "list")).toMatchObject({ code: 0, envelope: { data: { models: [] } } });
  });

  it("show a link that makes the first owner, who lets others in", async () => {
    const { url } = JSON.parse(await readFile(join(home, "coordinator.json"), "utf8")) as { readonly url: string };
    const ask = async (path: string, message: object) =>
      fetch(`${url}/auth/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", "sec-fetch-site": "same-origin" },
        body: JSON.stringify(message),
      });
    const secretIn = (link: unknown) => /^http:\/\/localhost:\d+\/#invitation=(nxi_[\w-]{43})$/.exec(String(link))?.[1];
    const account = { password: "correct horse battery staple" };
    expect((await ask("claim", { ...account, secret: secretIn(ownerLink), name: "Ada", email: "ada@clinic.example" })).status).toBe(200);
    expect(await nexus("member", "role", "ada@clinic.example", "auditor")).toMatchObject({ code: 1, envelope: { error: { code: "LAST_OWNER" } } });
    expect(await nexus("member", "role", "ada@clinic.example", "king")).toMatchObject({ code: 2, envelope: { error: { code: "USAGE" } } });
    const { envelope } = await nexus("member", "invite", "--role", "auditor", "--name", "Bea");
    expect((await ask("claim", { ...account, secret: secretIn(envelope.data!["link"]), name: "Bea", email: "bea@clinic.example" })).status).toBe(200);
    await nexus("member", "link");
    expect(await nexus("member", "list")).toMatchObject({
      code: 0,
      envelope: {
        data: {
          members: [
            { name: "Ada", role: "owner", sessions: 1 },
            { name: "Bea", role: "auditor" },
          ],
          invitations: [{ role: "owner" }],
        },
      },
    });
    expect(await nexus("member", "role", "bea@clinic.example", "owner")).toMatchObject({
      code: 0,
      envelope: { data: { member: { role: "owner" } } },
    });
    expect(await nexus("member", "remove", "bea@clinic.example", "--yes")).toMatchObject({ code: 0 });
    expect(await nexus("member", "remove", "bea@clinic.example", "--yes")).toMatchObject({
      code: 1,
      envelope: { error: { code: "MEMBER_NOT_FOUND" } },
    });
    const log = await readFile(join(home, "coordinator.log"), "utf8");
    expect(log).toContain("a member signed in");
    for (const secret of [secretIn(ownerLink)!, account.password]) expect(log).not.toContain(secret);
  });

  it("refuse a second coordinator on the folder, and a port that is taken", async () => {
    expect(await nexus("up", "--detach", "--port", "0")).toMatchObject({ code: 1, envelope: { error: { code: "DATA_FOLDER_BUSY" } } });
    const { url } = JSON.parse(await readFile(join(home, "coordinator.json"), "utf8")) as { readonly url: string };
    const other = join(home, "..", "other");
    const { code, stdout } = await runNexus(["up", "--port", new URL(url).port, "--home", other, "--json"]);
    expect({ code, envelope: JSON.parse(stdout) as Envelope }).toMatchObject({ code: 1, envelope: { error: { code: "PORT_IN_USE" } } });
  });

  it.each([
    [["--listen", "7701"], /is no address with a port/],
    [["--public-name", "hospital.example"], /Without --listen/],
    [["--listen", "0.0.0.0:0", "--ca-cert", "ca.crt"], /belong together/],
  ])("refuse what cannot be served over TLS: %j", async (options, why) => {
    const { code, envelope } = await nexus("up", "--port", "0", ...options);
    expect({ code, envelope }).toMatchObject({ code: 2, envelope: { error: { code: "USAGE", message: expect.stringMatching(why) as string } } });
  });

  it("make, use, list and revoke API tokens, whose secrets are shown once", async () => {
    const made = await nexus("token", "create", "--name", "ci", "--role", "auditor", "--expires", "30d");
    expect(made).toMatchObject({ code: 0, envelope: { data: { token: { name: "ci", role: "auditor", state: "valid" } } } });
    const secret = made.envelope.data!["secret"] as string;
    expect(await nexus("node", "list", "--token", secret)).toMatchObject({ code: 0 });
    expect(await nexus("node", "token", "--token", secret)).toMatchObject({ code: 4, envelope: { error: { code: "FORBIDDEN" } } });
    const listed = await nexus("token", "list", "--token", secret);
    expect(listed).toMatchObject({ code: 0, envelope: { data: { tokens: [{ name: "ci" }] } } });
    expect(JSON.stringify(listed)).not.toContain(secret);
    expect(await nexus("token", "revoke", "ci", "--yes")).toMatchObject({ code: 0, envelope: { data: { token: { state: "revoked" } } } });
    const refused = await nexus("node", "list", "--token", secret);
    expect(refused).toMatchObject({ code: 4, envelope: { error: { code: "UNAUTHENTICATED" } } });
    expect(JSON.stringify(refused)).not.toContain(secret);
  });

  it("name what is wrong with a token, an id, a spec", async () => {
    expect(await nexus("run", "list", "--token", "wrong")).toMatchObject({ code: 4, envelope: { error: { code: "UNAUTHENTICATED" } } });
    expect(await nexus("run", "show", "run_none")).toMatchObject({ code: 1, envelope: { error: { code: "RUN_NOT_FOUND" } } });
    expect(await nexus("node", "remove", "nobody", "--yes")).toMatchObject({ code: 1, envelope: { error: { code: "NODE_NOT_FOUND" } } });
    expect(await nexus("model", "show", "mdl_none")).toMatchObject({ code: 1, envelope: { error: { code: "MODEL_NOT_FOUND" } } });
    const spec = join(home, "..", "spec.yaml");
    await writeFile(spec, "version: 1\nrouns: 3\n");
    expect(await nexus("run", "start", spec)).toMatchObject({ code: 2, envelope: { error: { code: "SPEC_INVALID" } } });
    expect(await nexus("run", "list", "--state", "runing")).toMatchObject({
      code: 2,
      envelope: { error: { message: '--state takes one of pending, starting, running, finished, not "runing".' } },
    });
  });

  it("let a node join with a token once, and run without data", async () => {
    const folder = join(home, "..", "clinic-a");
    const { url } = JSON.parse(await readFile(join(home, "coordinator.json"), "utf8")) as { readonly url: string };
    const { token } = (await nexus("node", "token", "--approved", "--expires", "5m")).envelope.data as { readonly token: string };
    expect(await nexus("node", "join", url, "--token", token, "--name", "clinic-a", "--folder", folder)).toMatchObject({
      code: 0,
      envelope: { data: { node: { status: "approved" } } },
    });
    expect(await nexus("node", "join", url, "--token", token, "--name", "clinic-b", "--folder", `${folder}-b`)).toMatchObject({
      code: 4,
      envelope: { error: { code: "JOIN_TOKEN_INVALID" } },
    });
    const node = startNexus(["node", "run", "--folder", folder, "--jsonl"]);
    expect(await firstLine(node)).toEqual({ type: "connected" });
    expect((await nexus("node", "list")).envelope.data).toMatchObject({ nodes: [{ name: "clinic-a", status: "approved", online: true }] });
    const [second, third] = await Promise.all([runNexus(["node", "run", "--folder", folder]), nexus("node", "token", "--approved")]);
    expect(second).toMatchObject({ code: 1, stderr: expect.stringContaining(`${folder} is in use by process ${node.pid}.`) as string });
    const again = await nexus("node", "join", url, "--token", String(third.envelope.data!["token"]), "--name", "clinic-b", "--folder", folder);
    expect(again).toMatchObject({ code: 1, envelope: { error: { code: "NODE_ALREADY_JOINED" } } });

    // Nothing that a kill leaves behind stands in the way of the next one.
    node.kill("SIGKILL");
    await finished(node);
    const next = startNexus(["node", "run", "--folder", folder, "--jsonl"]);
    expect(await firstLine(next)).toEqual({ type: "connected" });
    next.kill("SIGINT");
    expect((await finished(next)).code).toBe(130);
    expect(await readdir(folder)).toEqual(["audit-heads.jsonl", "node.json", "node.key"]);
    for (let online: unknown = true; online === true;) {
      [{ online }] = (await nexus("node", "list")).envelope.data!["nodes"] as [{ readonly online: boolean }];
    }
  });

  it("name the option, the folder and the coordinator that are meant", async () => {
    const { url } = JSON.parse(await readFile(join(home, "coordinator.json"), "utf8")) as { readonly url: string };
    expect((await runNexus(["node", "token", "--home", home])).stdout).toContain(`nexus node join ${url} --token njt_`);
    const folder = join(home, "..", "mistyped");
    expect(await nexus("node", "join", url, "--token", "t", "--name", "Clinic A", "--folder", folder)).toMatchObject({
      code: 2,
      envelope: { error: { code: "USAGE", message: expect.stringMatching(/^--name "Clinic A" /) as string } },
    });
    const rows = join(home, "..", "rows.csv");
    await writeFile(rows, "a,label\n1,x\n2,y\n");
    expect(await nexus("dataset", "add", "rows", "--folder", folder, "--csv", rows)).toMatchObject({
      code: 1,
      envelope: { error: { code: "NODE_FOLDER_INVALID", message: expect.stringContaining(folder) as string } },
    });
    expect(existsSync(folder)).toBe(false);
    const spec = join(home, "..", "broken.yaml");
    await writeFile(spec, "version: 1\nrounds: [\n");
    const { message } = (await nexus("run", "plan", spec)).envelope.error!;
    expect(message).toContain(`${spec}, line `);
    expect(message.match(/line/g)).toHaveLength(1);
  });

  it("stop it, and say so when there is nothing to stop", async () => {
    expect(await nexus("down")).toMatchObject({ code: 0, envelope: { data: { stopped: true, purged: false } } });
    expect(existsSync(join(home, "coordinator.json"))).toBe(false);
    expect(await nexus("down")).toMatchObject({ code: 0, envelope: { data: { stopped: false } } });
    expect(await nexus("node", "list")).toMatchObject({ code: 4, envelope: { error: { code: "COORDINATOR_UNREACHABLE" } } });
  });

  it("end with 130 on Ctrl-C in the foreground, leaving nothing running", async () => {
    const up = startNexus(["up", "--port", "0", "--home", home, "--json"]);
    expect(await firstLine(up)).toMatchObject({ status: "ok" });
    up.kill("SIGINT");
    expect((await finished(up)).code).toBe(130);
    expect(existsSync(join(home, "coordinator.json"))).toBe(false);
  });

  it("end with the process that started it, however that ended", async () => {
    const script = `require("node:child_process").spawn(process.execPath, process.argv.slice(1), { stdio: "inherit" });`;
    const parent = spawn(process.execPath, ["-e", script, NEXUS, "up", "--port", "0", "--home", home, "--json", "--exit-with-parent"], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    expect(await firstLine(parent)).toMatchObject({ status: "ok" });
    parent.kill("SIGKILL");
    await eventually(() => !existsSync(join(home, "coordinator.json")));
  });

  it("end with the launcher that an older Node leaves in front, also when it is killed, and with who started that", async () => {
    const options = ["up", "--port", "0", "--home", home, "--json"];
    const launcher = startNexus(options, { nodeFlags: WITHOUT_EXECVE });
    expect(await firstLine(launcher)).toMatchObject({ status: "ok" });
    launcher.kill("SIGKILL");
    await eventually(() => !existsSync(join(home, "coordinator.json")));

    const script = `require("node:child_process").spawn(process.execPath, process.argv.slice(1), { stdio: "inherit" });`;
    const parent = spawn(process.execPath, ["-e", script, ...WITHOUT_EXECVE, NEXUS, ...options, "--exit-with-parent"], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    expect(await firstLine(parent)).toMatchObject({ status: "ok" });
    parent.kill("SIGKILL");
    await eventually(() => !existsSync(join(home, "coordinator.json")));
  });

  it("delete the data folder when asked and told yes, and nothing that is none", async () => {
    expect(await nexus("down", "--purge")).toMatchObject({ code: 2, envelope: { error: { code: "USAGE" } } });
    expect(existsSync(home)).toBe(true);
    expect(await nexus("down", "--purge", "--yes")).toMatchObject({ code: 0, envelope: { data: { purged: true } } });
    expect(existsSync(home)).toBe(false);
    const { code, stderr } = await runNexus(["down", "--purge", "--yes", "--home", tmpdir()]);
    expect(code).toBe(1);
    expect(stderr).toContain("is no data folder");
  });
});
