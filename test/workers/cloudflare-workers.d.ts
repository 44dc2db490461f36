/** What tests need of it besides what the package reads. */
declare module "cloudflare:workers" {
  class Entrypoint {
    constructor(context: unknown, env: unknown);
  }
  /** What the platform gives each object, the same for all of its events. */
  interface DurableObjectState {
    readonly id: { toString(): string };
    readonly storage: { setAlarm(at: number): Promise<void> };
    waitUntil(promise: Promise<unknown>): void;
    abort(): void;
  }
  export class DurableObject extends Entrypoint {
    protected readonly ctx: DurableObjectState;
    protected readonly env: Readonly<Record<string, unknown>>;
  }
  export class WorkerEntrypoint extends Entrypoint {}
  export class WorkflowEntrypoint extends Entrypoint {}
}
