/** What a browser does on the coordinator's page, without a browser: keeps the cookie, and says where requests come from. @module */

/** A jar with one cookie, and a page that is open. */
export interface TestBrowser {
  /** As the `cookie` header has it; empty while nobody is signed in. */
  cookie: string;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<BrowserAnswer>;
  post(path: string, message: unknown, headers?: Readonly<Record<string, string>>): Promise<BrowserAnswer>;
}

export interface BrowserAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Code of the error, or `ok`. */
  readonly code: string;
  readonly body: Record<string, unknown>;
}

/** A browser that shows the page of a coordinator. */
export function testBrowser(url: string): TestBrowser {
  const browser: TestBrowser = {
    cookie: "",
    get: (path, headers = {}) => send(path, { headers: { "sec-fetch-site": "same-origin", ...headers } }),
    post: (path, message, headers = {}) =>
      send(path, {
        method: "POST",
        headers: { "sec-fetch-site": "same-origin", "content-type": "application/json", ...headers },
        body: typeof message === "string" ? message : JSON.stringify(message),
      }),
  };
  async function send(path: string, init: { method?: string; headers: Readonly<Record<string, string>>; body?: string }): Promise<BrowserAnswer> {
    const headers = { ...init.headers, ...(browser.cookie === "" ? {} : { cookie: browser.cookie }) };
    const response = await fetch(`${url}${path}`, { ...init, headers });
    for (const cookie of response.headers.getSetCookie()) browser.cookie = cookie.includes("Max-Age=0") ? "" : cookie.split(";", 1)[0]!;
    const text = await response.text();
    const body = (response.headers.get("content-type") ?? "").startsWith("application/json")
      ? (JSON.parse(text) as Record<string, unknown>)
      : { text };
    const error = body["error"] as { readonly code: string } | undefined;
    return { status: response.status, headers: response.headers, code: error?.code ?? "ok", body };
  }
  return browser;
}

/** A password that is fit. */
export const TEST_PASSWORD = "correct horse battery staple";

/** The secret within a link. */
export function secretOf(link: string): string {
  return new URLSearchParams(new URL(link).hash.slice(1)).get("invitation")!;
}

/** Takes a link up as a person of that name. */
export async function becomeMember(url: string, link: string, name: string): Promise<TestBrowser> {
  const browser = testBrowser(url);
  const { code, body } = await browser.post("/auth/claim", {
    secret: secretOf(link),
    name,
    email: `${name}@clinic.example`,
    password: TEST_PASSWORD,
  });
  if (code !== "ok") throw new Error(`The link was refused: ${JSON.stringify(body)}`);
  return browser;
}
