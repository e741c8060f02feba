/** How a join ended: `status` is pending until the project's owner approves the node. */
export interface Joined {
  readonly nodeId: string;
  readonly projectId: string;
  readonly status: string;
}
