/**
 * What browsers see of signing in: a page, and messages in JSON under `/auth/`.
 *
 * ```
 * GET  /  /page.css  /page.js     the page
 * GET  /auth/session              who one is, or `{ user: null }`
 * GET  /auth/sessions             one's open sessions
 * POST /auth/invitation           { secret }: what a link is good for
 * POST /auth/claim                { secret, name, email, password }: becomes a member and signs in
 * POST /auth/sign-in              { email, password }
 * POST /auth/sign-out             {}
 * POST /auth/sessions/end         { id }: ends one of one's sessions
 * POST /auth/password             { before, after }: ends one's other sessions
 * GET  /auth/passkeys             one's passkeys
 * POST /auth/passkeys/options     {}: what the browser makes a new one by; soon after signing in alone
 * POST /auth/passkeys/add         { response }
 * POST /auth/passkeys/remove      { id }
 * POST /auth/passkey/options      {}: what the browser signs in by
 * POST /auth/passkey/sign-in      { response }
 * POST /auth/oidc/begin           {}: where the OpenID provider asks; being signed in, links the identity
 * GET  /auth/oidc/callback        where it leads back to
 * ```
 *
 * A POST is taken from a page of the same origin alone (`session-cookie.ts` says how that is known), and as `application/json`, which no
 * form can send. Wrong passwords and links are counted by address, before anything is worked out for them.
 *
 * @module
 */
import { NexusError, toNexusError } from "@ciphernx/core/errors";
import type { AuditLog } from "../audit/audit-log.ts";
import type { AttemptLimit } from "@ciphernx/core/identity";
import { retrying, type Store } from "@ciphernx/core/store";
import { cookieValue, sessionCookieValue, sessionToken } from "@ciphernx/protocol/wire";
import type { Site, SiteRequest } from "@ciphernx/protocol/wire/server";
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import type { Logger } from "pino";
import { z } from "zod";
import { changePassword } from "./change-password.ts";
import { claim, claimForm, findInvitation } from "./invitations.ts";
import { findOrInvite, linkIdentity } from "./identities.ts";
import { findMembership } from "./members.ts";
import type { Oidc } from "./oidc.ts";
import { PAGE_HEADERS, pageFile } from "./page.ts";
import { createPasskeys } from "./passkeys.ts";
import { assertOwnPage, originOf, placeOf, read, valueOf } from "./site-request.ts";
import { expiredCookie, type OpenSession, type SignIn } from "./sign-in.ts";
import { type EndCalls, endOtherSessions, endUserSession, forgetOverSessions, listUserSessions } from "./user-sessions.ts";

export interface SiteOptions {
  readonly store: Store;
  readonly audit: AuditLog;
  readonly project: { readonly id: string; readonly name: string };
  readonly limit: AttemptLimit;
  readonly endCalls: EndCalls;
  readonly signIn: (isTls: boolean) => Promise<SignIn>;
  readonly cookieName: (isTls: boolean) => string;
  readonly oidc: Oidc | undefined;
  readonly log: Logger;
}

/** What is told of a request, and the cookies that go with it. */
interface Answer {
  readonly body: object;
  readonly setCookies?: readonly string[];
  /** Where the browser is sent instead of being told the body. */
  readonly location?: string;
}

type Handler = (request: SiteRequest) => Promise<Answer>;

const AUTH = "/auth/";
const signInForm = z.strictObject({ email: z.string().trim().toLowerCase().max(254), password: z.string().max(1024) });
const passwordForm = z.strictObject({ before: z.string().max(1024), after: z.string().max(1024) });
/** Answers of browsers: their members are checked by the library that reads them. */
const responseForm = z.strictObject({
  response: z.looseObject({
    id: z.string().max(2_000),
    rawId: z.string(),
    type: z.string(),
    response: z.looseObject({}),
    clientExtensionResults: z.looseObject({}),
  }),
});
/** Who has a session for longer signs in again before adding a way in: a browser left alone, or a cookie that was read, is no way to stay. */
const FRESH_MS = 10 * 60_000;
/** What is wrong for whoever guesses. */
const WRONG: ReadonlySet<string> = new Set(["SIGN_IN_FAILED", "INVITATION_INVALID", "OIDC_FAILED"]);

export function createSite({ store, audit, project, limit, endCalls, signIn, cookieName, oidc, log }: SiteOptions): Site {
  const passkeys = createPasskeys(store);

  /** Does something that may find a secret to be wrong, and counts that. */
  async function attempt<T>(address: string, action: () => Promise<T>): Promise<T> {
    const retryAfterSeconds = limit.retryAfterSeconds(address);
    if (retryAfterSeconds > 0) {
      throw new NexusError("RATE_LIMITED", `Too many wrong passwords and links came from ${address}; try again in ${retryAfterSeconds} s.`, {
        details: { retryAfterSeconds },
      });
    }
    try {
      return await action();
    } catch (error) {
      if (error instanceof NexusError && WRONG.has(error.code)) limit.failed(address);
      throw error;
    }
  }

  /** The session of a request, and the member's role. */
  async function visitor({ headers, isTls }: SiteRequest) {
    const token = sessionToken(headers, cookieName(isTls));
    if (token === undefined) return undefined;
    const session = await (await signIn(isTls)).find(sessionCookieValue(token));
    if (session === undefined) return undefined;
    const { role } = await retrying(() => findMembership(store, project.id, session.userId));
    return role === undefined ? undefined : { session, role };
  }

  async function member(request: SiteRequest): Promise<OpenSession> {
    const found = await visitor(request);
    if (found !== undefined) return found.session;
    throw new NexusError("UNAUTHENTICATED", "Nobody is signed in here any more.", { hint: "Sign in again." });
  }

  async function enter(request: SiteRequest, email: string, password: string): Promise<Answer> {
    const opened = await (await signIn(request.isTls)).open(email, password, placeOf(request));
    if (opened === undefined) throw signInFailed();
    return welcome(request, opened.setCookies);
  }

  /** Gives a session out, to a member alone. */
  async function welcome({ isTls, address }: SiteRequest, setCookies: readonly string[]): Promise<Answer> {
    const session = await (await signIn(isTls)).find(valueOf(setCookies, cookieName(isTls)));
    if (session === undefined) throw signInFailed();
    await retrying(() => forgetOverSessions(store));
    const { role } = await retrying(() => findMembership(store, project.id, session.userId));
    if (role === undefined) {
      await endUserSession(store, session.userId, session.id, endCalls);
      throw signInFailed();
    }
    log.info({ user: session.userId, session: session.id, role, from: address }, "a member signed in");
    return { body: whoIs(session, role), setCookies };
  }

  const whoIs = ({ userId, name, email, id, expiresAt }: OpenSession, role: string) => ({
    project,
    user: { id: userId, name, email },
    role,
    session: { id, expiresAt: expiresAt.toISOString() },
    hasOidc: oidc !== undefined,
  });

  const flowCookie = (isTls: boolean) => `${cookieName(isTls)}_oidc`;

  function oidcRoutes(provider: Oidc): Readonly<Record<string, Handler>> {
    return {
      "POST /auth/oidc/begin": async (request) => {
        read(request, z.strictObject({}));
        const found = await visitor(request);
        if (found !== undefined) assertFresh(found.session);
        const { url, flow } = await provider.begin(originOf(request), found?.session.userId);
        const attributes = `Path=/; HttpOnly; SameSite=Lax; Max-Age=600${request.isTls ? "; Secure" : ""}`;
        return { body: { url }, setCookies: [`${flowCookie(request.isTls)}=${flow}; ${attributes}`] };
      },
      // The only GET that changes something: it is good for the browser that began, once.
      "GET /auth/oidc/callback": async (request) => {
        const over = expiredCookie(flowCookie(request.isTls), request.isTls);
        try {
          const { identity, linkTo } = await attempt(request.address, () =>
            provider.end(cookieValue(request.headers.cookie, flowCookie(request.isTls)), request.target),
          );
          if (linkTo !== undefined) await linkIdentity(store, linkTo, identity);
          const userId = linkTo ?? (await findOrInvite({ store, audit }, project.id, identity));
          const opened = await (await signIn(request.isTls)).openFor(userId, placeOf(request));
          const { setCookies = [] } = await welcome(request, opened.setCookies);
          return { body: {}, location: "/", setCookies: [...setCookies, over] };
        } catch (error) {
          const { code } = toNexusError(error);
          log.warn({ err: error, from: request.address }, "signing in by the OpenID provider failed");
          return { body: {}, location: `/#problem=${code}`, setCookies: [over] };
        }
      },
    };
  }

  const routes: Readonly<Record<string, Handler>> = {
    "GET /auth/session": async (request) => {
      const found = await visitor(request);
      if (found === undefined) return { body: { project, user: null, hasOidc: oidc !== undefined } };
      return { body: whoIs(found.session, found.role), setCookies: found.session.setCookies };
    },
    "GET /auth/sessions": async (request) => {
      const { userId, id } = await member(request);
      const sessions = await retrying(() => listUserSessions(store, userId));
      return {
        body: {
          sessions: sessions.map(({ createdAt, lastUsedAt, ...session }) => ({
            ...{ ...session, createdAt: createdAt.toISOString(), lastUsedAt: lastUsedAt.toISOString() },
            current: session.id === id,
          })),
        },
      };
    },
    "POST /auth/invitation": async (request) => {
      const { secret } = read(request, claimForm.pick({ secret: true }));
      const { role, name, email, expiresAt } = await attempt(request.address, () => retrying(() => findInvitation(store, project.id, secret)));
      return { body: { project, role, name, email, expiresAt: expiresAt.toISOString() } };
    },
    "POST /auth/claim": async (request) => {
      const form = read(request, claimForm);
      return attempt(request.address, async () => {
        const invitation = await claim({ store, audit }, project.id, form);
        log.info({ invitation: invitation.id, user: invitation.usedBy, role: invitation.role }, "a link made a member");
        return enter(request, form.email, form.password);
      });
    },
    "POST /auth/sign-in": async (request) => {
      const { email, password } = read(request, signInForm);
      return attempt(request.address, () => enter(request, email, password));
    },
    "POST /auth/sign-out": async (request) => {
      read(request, z.strictObject({}));
      const found = await visitor(request);
      if (found !== undefined) await endUserSession(store, found.session.userId, found.session.id, endCalls);
      return { body: {}, setCookies: [expiredCookie(cookieName(request.isTls), request.isTls)] };
    },
    "POST /auth/sessions/end": async (request) => {
      const { id } = read(request, z.strictObject({ id: z.string().max(100) }));
      const { userId } = await member(request);
      await endUserSession(store, userId, id, endCalls);
      return { body: {} };
    },
    "POST /auth/password": async (request) => {
      const form = read(request, passwordForm);
      const session = await member(request);
      await attempt(request.address, () => changePassword(store, session, form));
      await endOtherSessions(store, session.userId, session.id, endCalls);
      log.info({ user: session.userId }, "a member changed the password");
      return { body: {} };
    },
    "GET /auth/passkeys": async (request) => {
      const { userId } = await member(request);
      const listed = await retrying(() => passkeys.list(userId));
      return {
        body: {
          passkeys: listed.map(({ createdAt, lastUsedAt, ...passkey }) => ({
            ...{ ...passkey, createdAt: createdAt.toISOString(), lastUsedAt: lastUsedAt?.toISOString() ?? null },
          })),
        },
      };
    },
    "POST /auth/passkeys/options": async (request) => {
      read(request, z.strictObject({}));
      const session = await member(request);
      assertFresh(session);
      return { body: await passkeys.addingOptions(session, originOf(request)) };
    },
    "POST /auth/passkeys/add": async (request) => {
      const { response } = read(request, responseForm);
      const session = await member(request);
      // The library that is given it takes nothing for granted.
      await passkeys.add(session, originOf(request), response as unknown as RegistrationResponseJSON);
      log.info({ user: session.userId }, "a member added a passkey");
      return { body: {} };
    },
    "POST /auth/passkeys/remove": async (request) => {
      const { id } = read(request, z.strictObject({ id: z.string().max(2_000) }));
      const { userId } = await member(request);
      await retrying(() => passkeys.remove(userId, id));
      log.info({ user: userId }, "a member removed a passkey");
      return { body: {} };
    },
    ...(oidc === undefined ? {} : oidcRoutes(oidc)),
    "POST /auth/passkey/options": async (request) => {
      read(request, z.strictObject({}));
      return { body: await passkeys.signInOptions(originOf(request)) };
    },
    "POST /auth/passkey/sign-in": async (request) => {
      const { response } = read(request, responseForm);
      return attempt(request.address, async () => {
        const userId = await passkeys.check(originOf(request), response as unknown as AuthenticationResponseJSON);
        if (userId === undefined) throw signInFailed();
        const { setCookies } = await (await signIn(request.isTls)).openFor(userId, placeOf(request));
        return welcome(request, setCookies);
      });
    },
  };

  return {
    serves: (path) => path.startsWith(AUTH) || pageFile(path) !== undefined,
    async serve(request) {
      const { method } = request;
      const path = request.target.split("?", 1)[0]!;
      const file = pageFile(path);
      if (file !== undefined) {
        if (method !== "GET" && method !== "HEAD") throw new NexusError("MESSAGE_INVALID", "The page is fetched with GET.");
        return file();
      }
      const name = `${method === "HEAD" ? "GET" : method} ${path}`;
      const handler = Object.hasOwn(routes, name) ? routes[name] : undefined;
      if (handler === undefined) throw new NexusError("MESSAGE_INVALID", `There is nothing at ${method.slice(0, 20)} ${path.slice(0, 200)}.`);
      if (method === "POST") assertOwnPage(request);
      const { body, setCookies = [], location } = await handler(request);
      const headers = new Headers({ ...PAGE_HEADERS, "content-type": "application/json" });
      for (const cookie of setCookies) headers.append("set-cookie", cookie);
      if (location === undefined) return new Response(`${JSON.stringify(body)}\n`, { headers });
      headers.set("location", location);
      return new Response(null, { status: 303, headers });
    },
  };
}

/** @throws NexusError SESSION_TOO_OLD */
function assertFresh({ createdAt }: OpenSession): void {
  if (createdAt.getTime() + FRESH_MS >= Date.now()) return;
  throw new NexusError("SESSION_TOO_OLD", "You signed in too long ago to add a way of signing in.");
}

/** One answer, whatever was wrong. */
function signInFailed(): NexusError {
  return new NexusError("SIGN_IN_FAILED", "That is no member of the project, or not the right password or passkey.");
}
