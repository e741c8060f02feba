import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { joinTokens } from "@ciphernx/core/store";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testCoordinator, type TestCoordinator } from "../test-coordinator.fixture.ts";
import { TEST_PASSWORD } from "./browser.fixture.ts";
import { HAS_CHROMIUM, launchChromium } from "./chromium.fixture.ts";

/** Where a look at the page is kept, when somebody wants one. */
const SHOTS = process.env["NEXUS_SCREENSHOTS"];

describe.skipIf(!HAS_CHROMIUM)("the coordinator's page in a browser", () => {
  let lent: TestCoordinator;
  let browser: Browser;
  const stack = new AsyncDisposableStack();
  beforeAll(async () => {
    lent = stack.use(await testCoordinator());
    browser = stack.use(await launchChromium());
  }, 60_000);
  afterAll(() => stack.disposeAsync());

  /** A page in a profile of its own, and what it complains of. */
  async function newPage(): Promise<{ readonly page: Page; readonly complaints: string[] }> {
    const page = await (await browser.newContext({ viewport: { width: 900, height: 760 } })).newPage();
    page.setDefaultTimeout(15_000);
    const complaints: string[] = [];
    page.on("console", (message) => {
      // Chromium reports each refused request there, too.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    return { page, complaints };
  }

  async function shoot(page: Page, name: string): Promise<void> {
    if (SHOTS === undefined) return;
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${SHOTS}/${name}-${colorScheme}.png` });
    }
    await page.emulateMedia({ colorScheme: null });
  }

  async function signIn(page: Page, password: string): Promise<void> {
    const form = page.getByRole("region", { name: "Sign in" });
    await form.getByLabel("E-mail address").fill("ada@clinic.example");
    await form.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
  }

  it("takes a link up, shows who one is, signs out and in, and ends other sessions", async () => {
    const { page, complaints } = await newPage();
    await page.goto((await lent.coordinator.firstOwnerLink())!);
    await page.getByRole("heading", { name: "Welcome" }).waitFor();
    // Neither the address nor the history keeps the secret.
    expect(page.url()).toBe(`http://localhost:${lent.coordinator.port}/`);
    await shoot(page, "claim");
    const form = page.getByRole("region", { name: "Welcome" });
    await form.getByLabel("Your name").fill("Ada <b>Lovelace</b>");
    await form.getByLabel("E-mail address").fill("ada@clinic.example");
    await form.getByLabel("Password").fill("ada@clinic.example");
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByRole("alert").getByText("contains the name or the e-mail address").waitFor();
    await form.getByLabel("Password").fill(TEST_PASSWORD);
    await page.getByRole("button", { name: "Create account" }).click();
    // A name is a text, whatever is in it.
    await page.getByRole("heading", { name: "Ada <b>Lovelace</b>" }).waitFor();
    expect(await page.locator("#account-role").textContent()).toBe("owner");
    expect(await page.evaluate("document.cookie")).toBe("");
    await page.reload();
    await page.getByText("This browser").waitFor();

    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await shoot(page, "sign-in");
    await signIn(page, "not the right password");
    await page.getByRole("alert").getByText("not the right password").waitFor();
    await signIn(page, TEST_PASSWORD);
    await page.getByText("This browser").waitFor();

    const other = await newPage();
    await other.page.goto(`http://localhost:${lent.coordinator.port}/`);
    await signIn(other.page, TEST_PASSWORD);
    await other.page.getByText("This browser").waitFor();
    await page.reload();
    await page.getByRole("button", { name: "End this session" }).waitFor();
    await shoot(page, "account");
    await page.getByRole("button", { name: "End this session" }).click();
    await page.getByRole("status").getByText("The session was ended").waitFor();
    await other.page.reload();
    await other.page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect([...complaints, ...other.complaints]).toEqual([]);
  });

  it("calls RPCs with its session, which no page of another port or site can", async () => {
    const { page } = await newPage();
    const own = `http://localhost:${lent.coordinator.port}`;
    await page.goto(own);
    await signIn(page, TEST_PASSWORD);
    await page.getByText("This browser").waitFor();
    const call = (url: string): string =>
      `fetch(${JSON.stringify(`${url}/ciphernx.control.v1.ControlService/CreateJoinToken`)}, { method: "POST", mode: MODE, credentials: "include", headers: { "content-type": TYPE }, body: "{}" }).then((answer) => answer.status, () => "refused")`;
    const from = (type: string, mode: string): Promise<unknown> => page.evaluate(call(own).replace("MODE", `"${mode}"`).replace("TYPE", `"${type}"`));
    expect(await from("application/json", "cors")).toBe(200);

    const made = () => lent.coordinator.store.db.$count(joinTokens);
    expect(await made()).toBe(1);
    const foreign = createServer((_, response) => response.setHeader("content-type", "text/html").end("<h1>elsewhere</h1>"));
    await new Promise<void>((ready) => void foreign.listen(0, "127.0.0.1", ready));
    try {
      for (const host of ["localhost", "127.0.0.1"]) {
        await page.goto(`http://${host}:${(foreign.address() as AddressInfo).port}/`);
        expect(await from("application/json", "cors")).toBe("refused");
        // What a page may send anywhere without asking: it is never told the answer, and here there is none.
        expect(await from("text/plain", "no-cors")).toBe(0);
      }
    } finally {
      await new Promise((closed) => void foreign.close(closed));
    }
    expect(await made()).toBe(1);
  });

  it("says that a link is no good, and leads to signing in", async () => {
    const { page, complaints } = await newPage();
    await page.goto(`http://localhost:${lent.coordinator.port}/#invitation=nxi_nonsense`);
    await page.getByRole("alert").getByText("This link is not good").waitFor();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(complaints).toEqual([]);
  });
});
