import { readFile } from "node:fs/promises";

/** Types under which the kernel mounts folders of other machines (or of a virtual machine's host). */
const NETWORK_TYPES = new Set([
  ..."nfs nfs4 cifs smb3 smbfs ncpfs 9p afs ceph lustre glusterfs gfs2 ocfs2 beegfs gpfs coda davfs davfs2 vboxsf".split(" "),
  ..."sshfs glusterfs ceph s3fs rclone davfs2 juicefs goofys gcsfuse blobfuse cvmfs2 smbnetfs curlftpfs".split(" ").map((name) => `fuse.${name}`),
]);

export interface Mount {
  readonly mountPoint: string;
  readonly type: string;
}

/** proc(5) writes space, tab, newline and backslash of a path as three octal digits. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** The mount that holds a path, by the text of /proc/self/mountinfo (proc(5)); the later of two on one point lies on top. */
export function mountOf(mountinfo: string, path: string): Mount | undefined {
  let best: Mount | undefined;
  for (const line of mountinfo.split("\n")) {
    const [left, right] = line.split(" - ");
    const mountPoint = unescapeOctal(left?.split(" ")[4] ?? "");
    const type = right?.split(" ")[0];
    if (mountPoint === "" || type === undefined) continue;
    const holds = path === mountPoint || path.startsWith(mountPoint === "/" ? "/" : `${mountPoint}/`);
    if (holds && mountPoint.length >= (best?.mountPoint.length ?? 0)) best = { mountPoint, type };
  }
  return best;
}

/** Whether a file system of that type lives on another machine, where fsync and locks are not to be relied on. */
export function isNetworkType(type: string): boolean {
  return NETWORK_TYPES.has(type);
}

/** The network mount that a path lies on; undefined for a local disk, and where the system does not tell (only Linux does). */
export async function networkMountOf(path: string): Promise<Mount | undefined> {
  if (process.platform !== "linux") return undefined;
  const mount = mountOf(await readFile("/proc/self/mountinfo", "utf8"), path);
  return mount !== undefined && isNetworkType(mount.type) ? mount : undefined;
}
