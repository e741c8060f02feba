import { homedir } from "node:os";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { describe, expect, it } from "vitest";
import { findConnection } from "../connection.ts";
import { fillGlobalOptions } from "../global-options.ts";
import { runNexus } from "../testing/nexus-process.ts";
import { readConfig } from "./config-file.ts";
import { configFile, findProfile, type Profile } from "./find-profile.ts";

const HOSPITAL: Profile = {
  ...{ name: "hospital", url: "https://hospital.example:7701", tokenFile: "/etc/nexus/hospital.token", ca: "/etc/nexus/hospital.crt" },
  ...{ home: undefined, output: "json" },
};

describe("what a profile fills in", () => {
  const filled = (written: Record<string, unknown>, env: Record<string, string>) => fillGlobalOptions(written, env, HOSPITAL);

  it("is less than the environment, and that less than the command line", () => {
    expect(filled({}, {})).toMatchObject({ url: HOSPITAL.url, tokenFile: HOSPITAL.tokenFile, ca: HOSPITAL.ca, mode: "json" });
    expect(filled({}, { NEXUS_TOKEN: "env" })).toMatchObject({ url: HOSPITAL.url, token: "env", tokenFile: undefined });
    expect(filled({ token: "flag" }, { NEXUS_TOKEN: "env" })).toMatchObject({ token: "flag", tokenFile: undefined });
    expect(filled({ ca: "flag.crt" }, { NEXUS_CA: "env.crt" })).toMatchObject({ ca: "flag.crt" });
    expect(filled({ quiet: true }, {})).toMatchObject({ mode: "quiet" });
    expect(filled({}, { NEXUS_URL: "" })).toMatchObject({ url: HOSPITAL.url });
  });

  it.each([
    [{ url: "http://127.0.0.1:1" }, {}],
    [{ home: "/data" }, {}],
    [{}, { NEXUS_URL: "http://127.0.0.1:1" }],
    [{}, { NEXUS_HOME: "/data" }],
  ])("is never sent to another coordinator: %j %j", (written, env) => {
    const { url, token, tokenFile, ca } = filled(written, env);
    expect({ token, tokenFile, ca }).toEqual({ token: undefined, tokenFile: undefined, ca: undefined });
    expect(url).not.toBe(HOSPITAL.url);
  });

  it("comes before the environment where it was written itself", () => {
    const env = { NEXUS_URL: "http://127.0.0.1:1", NEXUS_TOKEN: "env", NEXUS_HOME: "/data" };
    expect(filled({ profile: "hospital" }, env)).toMatchObject({ url: HOSPITAL.url, token: undefined, tokenFile: HOSPITAL.tokenFile });
    expect(filled({ profile: "hospital", url: "http://127.0.0.1:2" }, env)).toMatchObject({ url: "http://127.0.0.1:2", tokenFile: undefined });
  });
});

describe("the configuration file", () => {
  const file = "/etc/nexus/config.yaml";
  it("has paths that are seen from its folder", () => {
    const { default: name, profiles } = readConfig(
      "default: lab\nprofiles:\n  lab: { tokenFile: lab.token, ca: ~/lab.crt, home: /data, output: quiet }\n  empty:\n",
      file,
    );
    expect(name).toBe("lab");
    expect(profiles.get("lab")).toEqual({
      ...{ name: "lab", url: undefined, tokenFile: "/etc/nexus/lab.token", ca: join(homedir(), "lab.crt"), home: "/data", output: "quiet" },
    });
    expect(profiles.get("empty")).toMatchObject({ name: "empty", url: undefined });
    expect(readConfig("", file).profiles.size).toBe(0);
  });

  it.each([
    ["profiles:\n  lab: { tokenfile: x }", 'Did you mean "tokenFile"?'],
    ["profiles:\n  lab: { token: secret }", "profiles.lab"],
    ["profiles:\n  lab: { output: jsnl }", "profiles.lab.output"],
    ["profiles:\n  lab: { url: hospital }", "profiles.lab.url"],
    ["profile: lab", 'Did you mean "profiles"?'],
    ["profiles: [lab]", "profiles"],
    ["profiles: {", "line 1"],
  ])("names its mistakes: %j", (text, told) => {
    expect(() => readConfig(text, file)).toThrow(
      expect.objectContaining({ code: "PROFILE_INVALID", message: expect.stringContaining(told) as string }),
    );
  });

  it("is where the XDG specification has it", () => {
    expect(configFile({ XDG_CONFIG_HOME: "/xdg" })).toBe("/xdg/nexus/config.yaml");
    expect(configFile({ XDG_CONFIG_HOME: "relative" })).toBe(join(homedir(), ".config/nexus/config.yaml"));
    expect(configFile({ NEXUS_CONFIG: "/mine.yaml", XDG_CONFIG_HOME: "/xdg" })).toBe("/mine.yaml");
  });

  it("is read by commands, which say what is missing from it", async () => {
    await using folder = await temporaryFolder();
    const env = { XDG_CONFIG_HOME: folder.path, NEXUS_HOME: "", NEXUS_CONFIG: "" };
    await expect(findProfile({}, env)).resolves.toBeUndefined();
    await expect(findProfile({ profile: "lab" }, env)).rejects.toMatchObject({ code: "PROFILE_NOT_FOUND" });
    await mkdir(join(folder.path, "nexus"));
    await writeFile(
      join(folder.path, "nexus", "config.yaml"),
      "default: lab\nprofiles:\n  lab: { url: http://127.0.0.1:9, tokenFile: lab.token, output: json }\n",
    );
    const wrong = await runNexus(["run", "list", "--profile", "lap"], { env });
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("Did you mean lab?") as string });
    const missing = await runNexus(["run", "list"], { env });
    expect(JSON.parse(missing.stdout)).toMatchObject({ status: "error", error: { code: "UNAUTHENTICATED" } });
    await writeFile(join(folder.path, "nexus", "lab.token"), "a-token\n");
    const found = fillGlobalOptions({}, env, await findProfile({}, env));
    expect(await findConnection(found)).toMatchObject({ url: "http://127.0.0.1:9", token: "a-token" });
  });
});
