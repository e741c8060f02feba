/** What a request to the site says, and whether it may. @module */
import { NexusError } from "@ciphernx/core/errors";
import { isFromOwnPage } from "@ciphernx/protocol/wire";
import type { SiteRequest } from "@ciphernx/protocol/wire/server";
import type { z } from "zod";
import type { Visitor } from "./sign-in.ts";

/** Where a request comes from, as its session keeps it. */
export function placeOf({ address, headers }: SiteRequest): Visitor {
  return { address, userAgent: headers["user-agent"] ?? "" };
}

/** The origin of the page that asks. The port has compared its host with the one that the request is meant for. */
export function originOf({ headers }: SiteRequest): string {
  if (headers.origin !== undefined) return headers.origin;
  throw new NexusError("PASSKEY_REFUSED", "The browser does not say which page asks.");
}

/** @throws NexusError FORBIDDEN, MESSAGE_INVALID */
export function assertOwnPage({ headers }: SiteRequest): void {
  if (!isFromOwnPage(headers)) {
    throw new NexusError("FORBIDDEN", "Signing in and out is for the coordinator's own page.", {
      hint: "Open the coordinator's address in the browser.",
    });
  }
  if (headers["content-type"]?.split(";", 1)[0]!.trim().toLowerCase() !== "application/json") {
    throw new NexusError("MESSAGE_INVALID", "The message is to be application/json.");
  }
}

/** The message of a request. @throws NexusError MESSAGE_INVALID, which repeats nothing of it: there are passwords in it */
export function read<Form extends z.ZodType>({ body }: SiteRequest, form: Form): z.output<Form> {
  let message: unknown;
  try {
    message = JSON.parse(body);
  } catch (cause) {
    throw new NexusError("MESSAGE_INVALID", "The message is no JSON.", { cause: cause instanceof Error ? new Error(cause.name) : cause });
  }
  const parsed = form.safeParse(message);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map(({ path, code }) => `${path.join(".") || "the message"} (${code})`);
  throw new NexusError("MESSAGE_INVALID", `The message is not as expected: ${places.join(", ").slice(0, 200)}.`);
}

/** The value that a cookie is being given. */
export function valueOf(setCookies: readonly string[], name: string): string {
  const pair = setCookies.map((cookie) => cookie.split(";", 1)[0]!).find((text) => text.startsWith(`${name}=`));
  if (pair === undefined) throw new NexusError("INTERNAL", "A session was opened without its cookie.");
  return decodeURIComponent(pair.slice(name.length + 1));
}
