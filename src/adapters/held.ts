/** A callback of a transaction, savepoint or session that waits, so that what it was given can be used until it is told to end. */
export interface Held<T> {
  /** What the callback was given. */
  readonly handle: T;
  /** Lets the callback end well: what it stands in is committed, or given back. Rejects with what became of that. */
  end(): Promise<void>;
  /** Lets the callback fail: what it did is undone. Never rejects, for what cannot be undone in words ends with its connection. */
  undo(): Promise<void>;
}

/** Begins what takes a callback, and resolves once that has begun. Rejects with what it ends with before. */
export function hold<T>(begin: (work: (handle: T) => Promise<void>) => Promise<void>): Promise<Held<T>> {
  const { promise: told, resolve: succeed, reject: fail } = Promise.withResolvers<void>();
  // the callback hears it, unless what it stands in ended before
  told.catch(() => {});
  return new Promise((resolve, reject) => {
    const ended = begin((handle) => {
      resolve({
        handle,
        end() {
          succeed();
          return ended;
        },
        async undo() {
          // nobody is told; made here, for an error that is made while modules are loaded takes workerd 2 ms
          fail(new Error("What was held is undone."));
          await ended.catch(() => {});
        },
      });
      return told;
    });
    ended.catch(reject);
  });
}
