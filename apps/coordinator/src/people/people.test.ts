import { readFile, stat } from "node:fs/promises";
import { newInvitationSecret, type Role } from "@ciphernx/core/identity";
import { invitations, members as memberships, userAccounts, users, userSessions } from "@ciphernx/core/store";
import { eq } from "@ciphernx/core/store/sql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testCoordinator, type TestCoordinator } from "../test-coordinator.fixture.ts";
import { becomeMember, secretOf, TEST_PASSWORD, testBrowser } from "./browser.fixture.ts";

let lent: TestCoordinator;
const stack = new AsyncDisposableStack();
beforeAll(async () => {
  lent = stack.use(await testCoordinator({ wrongSecretsPerMinute: 1_000_000 }));
});
afterAll(() => stack.disposeAsync());

const db = () => lent.coordinator.store.db;
const linkFor = async (role: Role, options: { readonly name?: string; readonly email?: string } = {}): Promise<string> =>
  (await lent.nexus.members.invite({ role, ...options })).localLink;
const member = async (role: Role, name: string) => becomeMember(lent.url, await linkFor(role), name);
const RPC = "/ciphernx.control.v1.ControlService";
const claimOf = (link: string, name: string, more: object = {}) => ({
  ...{ secret: secretOf(link), name, email: `${name}@clinic.example`, password: TEST_PASSWORD },
  ...more,
});

describe("the first owner", () => {
  it("is made by the newest link, once; afterwards there is none", async () => {
    const first = (await lent.coordinator.firstOwnerLink())!;
    const second = (await lent.coordinator.firstOwnerLink())!;
    expect(second).toMatch(new RegExp(`^http://localhost:${lent.coordinator.port}/#invitation=nxi_[\\w-]{43}$`));
    expect((await testBrowser(lent.url).post("/auth/claim", claimOf(first, "late"))).code).toBe("INVITATION_INVALID");
    const both = await Promise.all(["ada", "eve"].map((name) => testBrowser(lent.url).post("/auth/claim", claimOf(second, name))));
    expect(both.map(({ code }) => code).toSorted()).toEqual(["INVITATION_INVALID", "ok"]);
    const { members } = await lent.nexus.members.list();
    expect(members).toMatchObject([{ role: "owner", sessions: 1 }]);
    expect(await lent.coordinator.firstOwnerLink()).toBeUndefined();
    // Two attempts, one account.
    expect(await db().$count(users)).toBe(1);
  });

  it("makes links for the first owner that are still about useless, also one who was made an owner", async () => {
    const { members } = await lent.nexus.members.list();
    const ada = members[0]!.id;
    const { db: store } = lent.coordinator.store;
    await store.update(memberships).set({ role: "auditor" }).where(eq(memberships.userId, ada));
    const browser = testBrowser(lent.url);
    const secret = secretOf((await lent.coordinator.firstOwnerLink())!);
    expect((await browser.post("/auth/invitation", { secret })).code).toBe("ok");
    await lent.nexus.members.setRole(ada, "owner");
    expect((await browser.post("/auth/invitation", { secret })).code).toBe("INVITATION_INVALID");
    expect((await browser.post("/auth/claim", claimOf(`http://localhost/#invitation=${secret}`, "late"))).code).toBe("INVITATION_INVALID");
    await member("owner", "bea");
  });
});

describe("a link", () => {
  it("tells whom it is for, and is good for that address alone", async () => {
    const link = await linkFor("auditor", { name: "Carl", email: "Carl@Clinic.example" });
    const browser = testBrowser(lent.url);
    expect((await browser.post("/auth/invitation", { secret: secretOf(link) })).body).toMatchObject({
      role: "auditor",
      name: "Carl",
      email: "carl@clinic.example",
    });
    expect((await browser.post("/auth/claim", claimOf(link, "mallory"))).code).toBe("INVITATION_INVALID");
    expect((await browser.post("/auth/claim", claimOf(link, "CARL"))).body).toMatchObject({
      role: "auditor",
      user: { email: "carl@clinic.example" },
    });
  });

  it("is kept as a hash, and its secret is told once", async () => {
    const { localLink, invitation } = await lent.nexus.members.invite({ role: "auditor" });
    const rows = JSON.stringify([
      await db().select().from(invitations),
      (await lent.nexus.members.list()).invitations.map(({ id, role }) => ({ id, role })),
    ]);
    expect(rows).toContain(invitation.id);
    expect(rows).not.toContain(secretOf(localLink));
  });

  it("is no good when it is unknown, expired, used, taken back or of another project, and all of them are told alike", async () => {
    const browser = testBrowser(lent.url);
    const used = await linkFor("auditor");
    await becomeMember(lent.url, used, "dora");
    const back = await lent.nexus.members.invite({ role: "auditor" });
    await lent.nexus.members.remove(back.invitation.id);
    const expired = await lent.nexus.members.invite({ role: "auditor" });
    await db().update(invitations).set({ expiresAt: new Date() }).where(eq(invitations.id, expired.invitation.id));
    const unknown = `http://localhost/#invitation=${newInvitationSecret()}`;
    const answers = await Promise.all(
      [used, back.localLink, expired.localLink, unknown, "http://localhost/#invitation=nonsense"].map((link) =>
        browser.post("/auth/claim", claimOf(link, "mallory")),
      ),
    );
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers[0]!.code).toBe("INVITATION_INVALID");
  });

  it("survives a mistake of the one who uses it", async () => {
    const link = await linkFor("auditor");
    const browser = testBrowser(lent.url);
    expect((await browser.post("/auth/claim", claimOf(link, "emil", { password: "short" }))).code).toBe("PASSWORD_UNFIT");
    expect((await browser.post("/auth/claim", claimOf(link, "emil", { password: "it is emil@clinic.example" }))).code).toBe("PASSWORD_UNFIT");
    expect((await browser.post("/auth/claim", claimOf(link, "emil", { email: "nobody" }))).code).toBe("MESSAGE_INVALID");
    expect((await browser.post("/auth/claim", claimOf(link, "bea"))).code).toBe("MEMBER_EXISTS");
    expect((await browser.post("/auth/claim", claimOf(link, "emil"))).code).toBe("ok");
  });

  it("is made for roles that there are, and thirty days at most", async () => {
    await expect(lent.nexus.members.invite({ role: "king" as Role })).rejects.toMatchObject({ code: "USAGE" });
    await expect(lent.nexus.members.invite({ role: "owner", expiresInSeconds: 31 * 86_400 })).rejects.toMatchObject({ code: "USAGE" });
    await expect(lent.nexus.members.invite({ role: "owner", email: "nobody" })).rejects.toMatchObject({ code: "USAGE" });
  });
});

describe("signing in", () => {
  it("gives a cookie that no script and no other site gets, and that the database cannot make", async () => {
    const browser = await member("data-scientist", "finn");
    await browser.post("/auth/sign-out", {});
    const { headers, body } = await browser.post("/auth/sign-in", { email: " FINN@clinic.example", password: TEST_PASSWORD });
    expect(headers.getSetCookie()).toHaveLength(1);
    const [cookie = ""] = headers.getSetCookie();
    expect(cookie.split("; ").slice(1).toSorted()).toEqual(["HttpOnly", "Max-Age=43200", "Path=/", "SameSite=Strict"]);
    const [row] = await db()
      .select({ token: userSessions.token })
      .from(userSessions)
      .innerJoin(users, eq(users.id, userSessions.userId))
      .where(eq(users.name, "finn"));
    // The token is told to nobody but the cookie, which holds a signature beside it.
    expect(JSON.stringify(body)).not.toContain(row!.token);
    expect(cookie).toMatch(new RegExp(`=${row!.token}\\.[\\w%]{40,}`));
    const key = `${lent.home}/session.key`;
    expect((await stat(key)).mode & 0o777).toBe(0o600);
    expect((await readFile(key, "utf8")).trim()).toHaveLength(43);
  });

  it("answers a wrong password and an unknown address alike", async () => {
    const browser = testBrowser(lent.url);
    const guess = (email: string) => browser.post("/auth/sign-in", { email, password: "wrong horse battery staple" });
    const wrong = await guess("finn@clinic.example");
    expect(wrong.code).toBe("SIGN_IN_FAILED");
    expect((await guess("nobody@clinic.example")).body).toEqual(wrong.body);
    expect((await db().select().from(userAccounts).limit(1))[0]!.password).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$/);
  });

  it("is for the coordinator's own page", async () => {
    const browser = testBrowser(lent.url);
    const form = { email: "finn@clinic.example", password: TEST_PASSWORD };
    for (const site of ["cross-site", "same-site", "none"]) {
      expect((await browser.post("/auth/sign-in", form, { "sec-fetch-site": site })).code).toBe("FORBIDDEN");
    }
    expect((await browser.post("/auth/sign-in", form, { origin: "http://evil.example" })).code).toBe("FORBIDDEN");
    expect((await browser.post("/auth/sign-in", form, { "content-type": "text/plain" })).code).toBe("MESSAGE_INVALID");
    expect((await browser.post("/auth/sign-in", form, { "content-type": "application/x-www-form-urlencoded" })).code).toBe("MESSAGE_INVALID");
    expect(browser.cookie).toBe("");
  });

  it("takes messages of its form alone, and repeats nothing of them", async () => {
    const browser = testBrowser(lent.url);
    for (const message of [
      "{",
      `"hunter2"`,
      { email: 1 },
      { email: "a", password: "hunter2", more: 1 },
      `{"password":"hunter2"`,
      "x".repeat(70_000),
    ]) {
      const { status, body, code } = await browser.post("/auth/sign-in", message);
      expect({ status, code }).toEqual({ status: 400, code: "MESSAGE_INVALID" });
      expect(JSON.stringify(body)).not.toContain("hunter2");
    }
    for (const path of ["/auth/", "/auth/constructor", "/auth/list-sessions", "/auth/sign-up/email", "/auth/update-user"]) {
      expect((await browser.post(path, {})).code).toBe("MESSAGE_INVALID");
      expect((await browser.get(path)).code).toBe("MESSAGE_INVALID");
    }
  });

  it("is refused to who is a member no more, whatever the password", async () => {
    await member("auditor", "greta");
    await lent.nexus.members.remove("greta@clinic.example");
    expect((await testBrowser(lent.url).post("/auth/sign-in", { email: "greta@clinic.example", password: TEST_PASSWORD })).code).toBe(
      "SIGN_IN_FAILED",
    );
    expect(await db().$count(users, eq(users.name, "greta"))).toBe(0);
  });
});

describe("sessions", () => {
  it("are told to their owner without tokens, and ended one by one, with their calls", async () => {
    const here = await member("owner", "hugo");
    const there = testBrowser(lent.url);
    await there.post("/auth/sign-in", { email: "hugo@clinic.example", password: TEST_PASSWORD }, { "user-agent": "Firefox/1\u00e9" });
    const { body } = await here.get("/auth/sessions");
    const sessions = body["sessions"] as readonly { readonly id: string; readonly current: boolean; readonly userAgent: string }[];
    expect(sessions.filter(({ current }) => current)).toHaveLength(1);
    expect(sessions).toHaveLength(2);
    for (const { cookie } of [here, there]) expect(JSON.stringify(body)).not.toContain(cookie.split("=")[1]!.split(".")[0]);
    const other = sessions.find(({ current }) => !current)!;
    expect(other.userAgent).toBe("Firefox/1");
    // Nobody ends the session of another.
    expect((await (await member("owner", "ida")).post("/auth/sessions/end", { id: other.id })).code).toBe("SESSION_NOT_FOUND");
    expect((await there.get("/auth/session")).body).toMatchObject({ role: "owner" });
    expect((await here.post("/auth/sessions/end", { id: other.id })).code).toBe("ok");
    expect((await there.get("/auth/session")).body).toMatchObject({ user: null });
    expect((await there.post(`${RPC}/GetStatus`, {})).status).toBe(401);
    expect((await here.post(`${RPC}/GetStatus`, {})).status).toBe(200);
  });

  it("end with their cookie at signing out", async () => {
    const browser = await member("auditor", "jan");
    const { headers } = await browser.post("/auth/sign-out", {});
    expect(headers.getSetCookie()[0]).toMatch(/=; Max-Age=0; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(browser.cookie).toBe("");
    expect((await browser.post("/auth/sign-out", {})).code).toBe("ok");
  });

  it("other than the one at hand end when the password is changed", async () => {
    const here = await member("auditor", "kim");
    const there = testBrowser(lent.url);
    await there.post("/auth/sign-in", { email: "kim@clinic.example", password: TEST_PASSWORD });
    const after = "another horse battery staple";
    expect((await here.post("/auth/password", { before: "not the right password", after })).code).toBe("SIGN_IN_FAILED");
    expect((await here.post("/auth/password", { before: TEST_PASSWORD, after: "short" })).code).toBe("PASSWORD_UNFIT");
    expect((await here.post("/auth/password", { before: TEST_PASSWORD, after })).code).toBe("ok");
    expect((await there.get("/auth/session")).body).toMatchObject({ user: null });
    expect((await here.get("/auth/session")).body).toMatchObject({ role: "auditor" });
    expect((await there.post("/auth/sign-in", { email: "kim@clinic.example", password: TEST_PASSWORD })).code).toBe("SIGN_IN_FAILED");
    expect((await there.post("/auth/sign-in", { email: "kim@clinic.example", password: after })).code).toBe("ok");
  });

  it("move their end on while they are used", async () => {
    const browser = await member("auditor", "lara");
    const soon = new Date(Date.now() + 3_600_000);
    const [{ id } = { id: "" }] = await db().select().from(users).where(eq(users.name, "lara"));
    await db().update(userSessions).set({ expiresAt: soon }).where(eq(userSessions.userId, id));
    const { headers } = await browser.get("/auth/session");
    expect(headers.getSetCookie()[0]).toContain("Max-Age=43200");
    const [row] = await db().select().from(userSessions).where(eq(userSessions.userId, id));
    expect(row!.expiresAt.getTime()).toBeGreaterThan(soon.getTime() + 3_600_000);
  });
});

describe("members", () => {
  it("have another role at once", async () => {
    const browser = await member("owner", "mia");
    expect((await browser.post(`${RPC}/CreateJoinToken`, {})).status).toBe(200);
    await lent.nexus.members.setRole("mia@clinic.example", "auditor");
    expect((await browser.post(`${RPC}/CreateJoinToken`, {})).status).toBe(403);
    expect((await browser.get("/auth/session")).body).toMatchObject({ role: "auditor" });
    await expect(lent.nexus.members.setRole("mia@clinic.example", "king" as Role)).rejects.toMatchObject({ code: "USAGE" });
    await expect(lent.nexus.members.setRole("nobody", "owner")).rejects.toMatchObject({ code: "MEMBER_NOT_FOUND" });
  });

  it("keep one owner, also when the last two take each other away at the same time", async () => {
    const { members } = await lent.nexus.members.list();
    const [first, second, ...others] = members.filter(({ role }) => role === "owner");
    for (const { id } of others) await lent.nexus.members.setRole(id, "auditor");
    const both = await Promise.allSettled([lent.nexus.members.setRole(first!.id, "auditor"), lent.nexus.members.remove(second!.id)]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(both.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "LAST_OWNER" } });
    const [last] = (await lent.nexus.members.list()).members.filter(({ role }) => role === "owner");
    await expect(lent.nexus.members.remove(last!.email)).rejects.toMatchObject({ code: "LAST_OWNER" });
    await expect(lent.nexus.members.setRole(last!.email, "auditor")).rejects.toMatchObject({ code: "LAST_OWNER" });
    await expect(lent.nexus.members.remove("nobody")).rejects.toMatchObject({ code: "MEMBER_NOT_FOUND" });
  });
});

describe("the page", () => {
  it("runs nothing but its own script, and is in no frame and no cache", async () => {
    const { headers, body, status } = await testBrowser(lent.url).get("/");
    expect(status).toBe(200);
    expect(headers.get("content-security-policy")).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(headers.get("content-security-policy")).toMatch(/frame-ancestors 'none'; require-trusted-types-for 'script'/);
    for (const [name, value] of [
      ["x-content-type-options", "nosniff"],
      ["referrer-policy", "no-referrer"],
      ["cache-control", "no-store"],
    ]) {
      expect(headers.get(name!)).toBe(value);
    }
    // Nothing inline, nothing from elsewhere.
    expect(body["text"]).not.toMatch(/<script(?![^>]* src="\/)|<style|\son\w+=|style=|https?:/);
    for (const path of ["/page.js", "/page.css", "/favicon.svg"]) expect((await testBrowser(lent.url).get(path)).status).toBe(200);
    for (const path of ["/index.html", "/../package.json", "/page/index.html"]) expect((await testBrowser(lent.url).get(path)).status).toBe(400);
    expect((await testBrowser(lent.url).post("/", {})).status).toBe(400);
  });
});
