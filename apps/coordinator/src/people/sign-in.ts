/**
 * Passwords and sessions, by better-auth. None of its HTTP routes is served: they hand session tokens to pages (which makes `HttpOnly` idle) and
 * can do far more than is wanted here. It checks passwords, makes sessions and signs cookies; `site.ts` is what browsers see.
 *
 * Cookies: HttpOnly; SameSite=Strict, since no page elsewhere has a reason to act for somebody here; over TLS Secure and `__Host-`, so that
 * neither another name of the domain nor a plain connection can plant one (RFC 6265bis §4.1.3.2). Their name holds the project's id, as pages on
 * other ports of `localhost` share a jar. The key that signs them lies in the data folder, not in the database.
 *
 * @module
 */
import { databaseError, type Store, userSessions } from "@ciphernx/core/store";
import { eq } from "@ciphernx/core/store/sql";
import { NexusError } from "@ciphernx/core/errors";
import { hashPassword, redactSecrets, verifyPassword } from "@ciphernx/core/identity";
import type { Logger } from "pino";
import { z } from "zod";

/** How long a session lasts without being used: 12 hours. */
export const IDLE_SECONDS = 12 * 3600;
/** How long a session lasts however much it is used: 7 days. */
export const ABSOLUTE_SECONDS = 7 * 86_400;
/** A session in use is written down so often. */
const REFRESH_SECONDS = 300;

/** An open session and whose it is. */
export interface OpenSession {
  readonly id: string;
  readonly token: string;
  readonly userId: string;
  readonly name: string;
  readonly email: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  /** Headers that keep the cookie as long as the session; empty while there is nothing new. */
  readonly setCookies: readonly string[];
}

/** Where a browser is, as a session keeps it for its owner to see. */
export interface Visitor {
  readonly address: string;
  readonly userAgent: string;
}

/** What better-auth does for us. */
export interface SignIn {
  /** Opens a session; undefined for a wrong e-mail address or password, after the same work for either. */
  open(email: string, password: string, visitor: Visitor): Promise<{ readonly setCookies: readonly string[] } | undefined>;
  /** Opens a session for somebody who has proved otherwise who it is. */
  openFor(userId: string, visitor: Visitor): Promise<{ readonly setCookies: readonly string[] }>;
  /** The session of a cookie's value; undefined when it is forged, ended, or was unused for too long. */
  find(cookieValue: string): Promise<OpenSession | undefined>;
}

export interface SignInOptions {
  readonly store: Store;
  readonly secret: string;
  readonly cookieName: string;
  readonly isTls: boolean;
  readonly log: Logger;
}

const sessionForm = z.object({
  session: z.object({ id: z.string(), token: z.string(), userId: z.string(), createdAt: z.date(), expiresAt: z.date() }),
  user: z.object({ name: z.string(), email: z.string() }),
});

/** The attributes of a session's cookie, also for taking it back. */
export function expiredCookie(name: string, isTls: boolean): string {
  return `${name}=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict${isTls ? "; Secure" : ""}`;
}

export async function createSignIn({ store, secret, cookieName, isTls, log }: SignInOptions): Promise<SignIn> {
  // Loaded when the first browser comes: it takes a quarter of a second and 40 MB.
  const [{ betterAuth }, { createAuthEndpoint }, { setSessionCookie }, { authStore, newRowId }] = await Promise.all([
    ...([import("better-auth/minimal"), import("better-auth/api"), import("better-auth/cookies")] as const),
    import("./auth-store.ts"),
  ]);
  const openSession = createAuthEndpoint("/open", { method: "POST", body: z.object({ userId: z.string() }) }, async (context) => {
    const { internalAdapter } = context.context;
    const user = await internalAdapter.findUserById(context.body.userId);
    if (user === null) throw new NexusError("SIGN_IN_FAILED", "The account is gone.");
    const session = await internalAdapter.createSession(user.id);
    await setSessionCookie(context, { session, user });
    return { token: session.token };
  });
  const auth = betterAuth({
    // Nothing is ever fetched there or sent there.
    ...{ baseURL: isTls ? "https://localhost" : "http://localhost", basePath: "/auth" },
    // In this form alone: the other gives way to variables of the environment.
    secrets: [{ version: 1, value: secret }],
    database: authStore(store),
    telemetry: { enabled: false },
    // Whoever calls tells of failures; at this level it speaks of what it could not do.
    logger: { level: "error", log: (_level, message) => log.warn({ from: "better-auth" }, redactSecrets(message)) },
    emailAndPassword: {
      ...{ enabled: true, disableSignUp: true, minPasswordLength: 1, maxPasswordLength: 1024 },
      password: { hash: hashPassword, verify: ({ hash, password }) => verifyPassword(hash, password) },
    },
    session: { expiresIn: IDLE_SECONDS, updateAge: REFRESH_SECONDS, cookieCache: { enabled: false } },
    plugins: [{ id: "nexus", endpoints: { openSession } }],
    rateLimit: { enabled: false }, // guards its routes; ours count by address
    advanced: {
      cookies: { session_token: { name: cookieName } },
      useSecureCookies: false, // would put `__Secure-` before our name
      defaultCookieAttributes: { httpOnly: true, sameSite: "strict", secure: isTls, path: "/" },
      ipAddress: { disableIpTracking: true },
      database: { generateId: newRowId },
    },
  });

  /** better-auth reads the address out of headers, and keeps of one in IPv6 the network alone. */
  async function keepVisitor(token: string, { address, userAgent }: Visitor): Promise<void> {
    await store.db
      .update(userSessions)
      .set({ ipAddress: address.replace(/^::ffff:(?=\d+\.)/, ""), userAgent: printable(userAgent) })
      .where(eq(userSessions.token, token));
  }

  return {
    async open(email, password, visitor) {
      try {
        const answer = await auth.api.signInEmail({ body: { email, password }, headers: new Headers(), returnHeaders: true });
        await keepVisitor(answer.response.token, visitor);
        return { setCookies: answer.headers.getSetCookie() };
      } catch (error) {
        if (statusOf(error) < 500) return undefined;
        throw failure(error);
      }
    },

    async openFor(userId, visitor) {
      const answer = await auth.api.openSession({ body: { userId }, headers: new Headers(), returnHeaders: true }).catch((error: unknown) => {
        throw error instanceof NexusError ? error : failure(error);
      });
      await keepVisitor(answer.response.token, visitor);
      return { setCookies: answer.headers.getSetCookie() };
    },

    async find(cookieValue) {
      const headers = new Headers({ cookie: `${cookieName}=${encodeURIComponent(cookieValue)}` });
      const answer = await auth.api.getSession({ headers, returnHeaders: true }).catch((error: unknown) => {
        throw failure(error);
      });
      if (answer.response === null) return undefined;
      const { session, user } = sessionForm.parse(answer.response);
      if (session.createdAt.getTime() + ABSOLUTE_SECONDS * 1000 <= Date.now()) return undefined;
      return { ...session, ...user, setCookies: answer.headers.getSetCookie() };
    },
  };
}

/** The HTTP status that an error of better-auth has; 500 for any other. */
function statusOf(error: unknown): number {
  return error instanceof Error && "statusCode" in error && typeof error.statusCode === "number" ? error.statusCode : 500;
}

/** What failed below better-auth, which wraps some of it. */
function failure(error: unknown): NexusError {
  return databaseError(error instanceof Error && "statusCode" in error ? (error.cause ?? error) : error);
}

/** Plain characters, and not many: browsers write as much as they like about themselves. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "").slice(0, 200);
}
