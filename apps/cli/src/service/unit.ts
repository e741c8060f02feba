/** What a systemd unit of a node says (systemd.service(5), systemd.exec(5), systemd.resource-control(5)). */
export interface NodeUnit {
  readonly name: string;
  /** Absolute paths: of Node, of the command's file, of the node's folder. */
  readonly node: string;
  readonly command: string;
  readonly folder: string;
  readonly user: string;
  /** Further words of `nexus node run`. */
  readonly words: readonly string[];
  /** Processors that it may use together, such as 1.5. */
  readonly cpus?: number | undefined;
  readonly memoryBytes?: number | undefined;
  /** Holds environment variables, such as HTTPS_PROXY with its password; for root alone. */
  readonly environmentFile?: string | undefined;
}

/**
 * A unit that starts the node with the machine and again when it fails, lets it write to its folder and nowhere else, and gives it no
 * privileges. What the kernel limits is what `cpus` and `memoryBytes` say, over all of its threads.
 */
export function nodeUnit({ name, node, command, folder, user, words, cpus, memoryBytes, environmentFile }: NodeUnit): string {
  const limits = [
    ...(cpus === undefined ? [] : [`CPUQuota=${Math.round(cpus * 100)}%`]),
    ...(memoryBytes === undefined ? [] : [`MemoryMax=${memoryBytes}`, "MemorySwapMax=0"]),
  ];
  return `[Unit]
Description=Cipher Nexus node ${name}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=exec
User=${user}
ExecStart=${[node, command, "node", "run", "--folder", folder, ...words].map(quoted).join(" ")}
${environmentFile === undefined ? "" : `EnvironmentFile=${environmentFile}\n`}Restart=on-failure
RestartSec=10
TimeoutStopSec=30
${limits.map((line) => `${line}\n`).join("")}
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths=${quoted(folder)}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
UMask=0077

[Install]
WantedBy=multi-user.target
`;
}

/** A word as systemd.service(5), "Quoting", reads it. */
function quoted(word: string): string {
  const escaped = word.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[\w./:@=+%$-]+$/.test(escaped) ? escaped : `"${escaped}"`;
}
