/** One running copy of the application: a process, a Lambda environment or a Worker isolate. */
export interface Instance {
  /** The same for every request this copy answers. */
  readonly id: string;
  /** Requests begun so far. */
  readonly invocations: number;
  /** Counts a request and gives its number, 1 for the first. */
  begin(): number;
}

/** Gives an instance whose id is made when it is first read: Workers hand out no randomness before the first request. */
export function createInstance(makeId: () => string = () => crypto.randomUUID()): Instance {
  let id: string | undefined;
  let invocations = 0;
  return {
    get id() {
      id ??= makeId();
      return id;
    },
    get invocations() {
      return invocations;
    },
    begin() {
      invocations += 1;
      return invocations;
    },
  };
}
