/** Settings of the embedded server: small, durable, and reachable from this machine alone. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  // A socket's path may have 107 bytes, a data folder's more.
  unix_socket_directories: "",
  timezone: "UTC",
  log_timezone: "UTC",
  lc_messages: "C",
  max_connections: "64",
  shared_buffers: "32MB",
  // One machine, no replicas: no processes and no log volume for them.
  wal_level: "minimal",
  max_wal_senders: "0",
  max_logical_replication_workers: "0",
  min_wal_size: "32MB",
  max_wal_size: "256MB",
  // Short transactions on small tables: parallel workers, compilation and helper processes cost more than they give.
  io_method: "sync",
  max_parallel_workers: "0",
  max_parallel_workers_per_gather: "0",
  jit: "off",
  log_checkpoints: "off",
  log_line_prefix: "%m [%p] ",
};

/** The server's arguments; `overrides` win. */
export function serverArguments(data: string, port: number, overrides: Readonly<Record<string, string>>): string[] {
  const settings = { ...SETTINGS, port: String(port), ...overrides };
  return ["-D", data, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
}
