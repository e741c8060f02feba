/**
 * Units for systemd (systemd.service(5), systemd.exec(5)): one process that may write to one folder and else change nothing of the machine.
 *
 * It runs as the owner of that folder and not as a `DynamicUser`, since the keys and the data in it belong to somebody. There is no
 * `MemoryDenyWriteExecute`: V8 and WebAssembly compile as they go.
 *
 * @module
 */
import { NexusError } from "@ciphernx/core/errors";

/** What is to run as a service. */
export interface ServiceUnit {
  readonly description: string;
  /** Program and arguments; the program by its absolute path. */
  readonly command: readonly string[];
  /** The folder that it keeps everything in, absolute: the only one that it may write to. */
  readonly folder: string;
  /** Name or number of the user that it runs as. */
  readonly user: string;
  /** Processors that it may use at most, for example 1.5. */
  readonly cpus?: number | undefined;
  /** Bytes of memory that it may use at most; beyond it is ended, and started anew. */
  readonly memoryBytes?: number | undefined;
  /** Secrets by the name under which the program looks for them, and the files that hold them: only systemd reads those. */
  readonly credentials?: Readonly<Record<string, string>>;
}

const HARDENING = [
  "NoNewPrivileges=yes",
  "ProtectSystem=strict",
  "ProtectHome=read-only",
  "PrivateTmp=yes",
  "PrivateDevices=yes",
  "ProtectClock=yes",
  "ProtectControlGroups=yes",
  "ProtectHostname=yes",
  "ProtectKernelLogs=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelTunables=yes",
  "ProtectProc=invisible",
  "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
  "RestrictNamespaces=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "LockPersonality=yes",
  "CapabilityBoundingSet=",
  "SystemCallArchitectures=native",
  "SystemCallFilter=@system-service",
  "UMask=0077",
];

/** The text of the unit. @throws NexusError USAGE for a path that a unit cannot hold */
export function serviceUnit({ description, command, folder, user, cpus, memoryBytes, credentials = {} }: ServiceUnit): string {
  const loaded = Object.entries(credentials).map(([name, file]) => `LoadCredential=${name}:${plain(file)}`);
  return [
    "[Unit]",
    `Description=${plain(description)}`,
    "After=network-online.target",
    "Wants=network-online.target",
    "",
    "[Service]",
    "Type=exec",
    `ExecStart=${command.map(word).join(" ")}`,
    `User=${user}`,
    `WorkingDirectory=${plain(folder)}`,
    `ReadWritePaths=${word(folder)}`,
    ...loaded,
    // What it says goes to the journal. A command line that means nothing does not mean more the second time.
    "Restart=on-failure",
    "RestartSec=5",
    "RestartPreventExitStatus=2",
    ...(cpus === undefined ? [] : [`CPUQuota=${Math.max(1, Math.round(cpus * 100))}%`]),
    ...(memoryBytes === undefined ? [] : [`MemoryMax=${memoryBytes}`]),
    "",
    ...HARDENING,
    "",
    "[Install]",
    "WantedBy=multi-user.target",
    "",
  ].join("\n");
}

/** A value that is a whole line. `%` begins a specifier (systemd.unit(5)). */
function plain(text: string): string {
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001F\u007F]/.test(text)) throw new NexusError("USAGE", `${JSON.stringify(text)} cannot stand in a unit of systemd.`);
  return text.replaceAll("%", "%%");
}

/** One word of a command line (systemd.service(5), "Command lines"). */
function word(text: string): string {
  const escaped = plain(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("$", "$$$$");
  return /^[\w./:=@%+,-]+$/.test(escaped) ? escaped : `"${escaped}"`;
}
