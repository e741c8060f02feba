import { homedir } from "node:os";
import { resolve } from "node:path";
import { type OptionDefinition, text, flag } from "./command.ts";
import type { OutputMode } from "./output/index.ts";
import type { Profile } from "./profiles/index.ts";

/** The database does not run as root, and its user cannot reach into root's own folder: root's services keep their data below /var/lib. */
const DEFAULT_HOME = process.getuid?.() === 0 ? "/var/lib/nexus" : "~/.nexus";

/** Options that every command takes, before or after its name. */
export const GLOBAL_OPTIONS = {
  profile: text("--profile <name>", "coordinator and output from the configuration file (default: $NEXUS_PROFILE, else the file's default)"),
  home: text("--home <folder>", `data folder (default: $NEXUS_HOME, else ${DEFAULT_HOME})`),
  url: text("--url <address>", "coordinator (default: $NEXUS_URL, else the one of the data folder)"),
  token: text("--token <token>", "API token or owner token (default: $NEXUS_TOKEN, else the owner's in the data folder)"),
  ca: text("--ca <file>", "certificate of the CA of a coordinator at https:// (default: $NEXUS_CA, else the CAs of the system)"),
  proxy: text("--proxy <address>", "HTTP proxy on the way to a coordinator at https:// (default: $HTTPS_PROXY, but for $NO_PROXY)"),
  json: flag("--json", "one JSON envelope on stdout, everything else on stderr"),
  jsonl: flag("--jsonl", "one JSON object a line; the last one is the envelope"),
  quiet: flag("-q, --quiet", "ids alone"),
  yes: flag("-y, --yes", "answer every question with yes"),
} as const satisfies Record<string, OptionDefinition<unknown>>;

/** The global options, filled in from the environment. */
export interface GlobalOptions {
  /** Absolute path of the data folder. */
  readonly home: string;
  readonly url: string | undefined;
  readonly token: string | undefined;
  /** File with the token, where none was written. */
  readonly tokenFile?: string | undefined;
  /** File with the CA's certificate. */
  readonly ca: string | undefined;
  /** May hold a password. */
  readonly proxy: string | undefined;
  readonly mode: OutputMode;
  readonly yes: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Fills in what was not written on the command line: from the environment, else from the profile. A profile that was itself written
 * there comes before the environment.
 *
 * What finds a coordinator goes together: who names another one, by address or data folder, does not send it a profile's token.
 */
export function fillGlobalOptions(written: Readonly<Record<string, unknown>>, environment: Environment, profile?: Profile): GlobalOptions {
  const textOf = (key: string): string | undefined => {
    const value = written[key];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const env = profile !== undefined && textOf("profile") !== undefined ? {} : environment;
  const home = textOf("home") ?? presence(env["NEXUS_HOME"]);
  const url = textOf("url") ?? presence(env["NEXUS_URL"]);
  const place = home === undefined && url === undefined ? profile : undefined;
  const token = textOf("token") ?? presence(env["NEXUS_TOKEN"]);
  return {
    home: homeFolder(home ?? place?.home),
    url: url ?? place?.url,
    token,
    tokenFile: token === undefined ? place?.tokenFile : undefined,
    ca: textOf("ca") ?? presence(env["NEXUS_CA"]) ?? place?.ca,
    proxy: textOf("proxy"),
    mode:
      written["jsonl"] === true ? "jsonl" : written["json"] === true ? "json" : written["quiet"] === true ? "quiet" : (profile?.output ?? "people"),
    yes: written["yes"] === true,
  };
}

/** The output mode that the arguments ask for, told before they are parsed: a mistake in them must be reported in it. */
export function outputModeOf(args: readonly string[]): OutputMode {
  const end = args.indexOf("--");
  const options = new Set(end < 0 ? args : args.slice(0, end));
  if (options.has("--jsonl")) return "jsonl";
  if (options.has("--json")) return "json";
  return options.has("--quiet") || options.has("-q") ? "quiet" : "people";
}

function homeFolder(named: string | undefined): string {
  return resolve(named ?? DEFAULT_HOME.replace("~", homedir()));
}

function presence(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}
