/** Stands in for the module `cloudflare:workers` where the objects run in the simulated runtime. */
export class DurableObject<E = unknown> {
  protected readonly ctx: unknown;
  protected readonly env: E;
  constructor(ctx: unknown, env: E) {
    this.ctx = ctx;
    this.env = env;
  }
}
