/** Throws at whatever is done with it. */
export function untouchable(): object {
  const fail = () => {
    throw new Error("touched");
  };
  const traps = Object.fromEntries(Object.getOwnPropertyNames(Reflect).map((name) => [name, fail]));
  return new Proxy({}, traps as ProxyHandler<object>);
}

function withGetters(): Error {
  const error = new Error();
  for (const name of ["message", "stack", "name", "cause", "code", "fate", "retryable"]) {
    Object.defineProperty(error, name, {
      get() {
        throw new Error("read");
      },
    });
  }
  return error;
}

/** What somebody's code may throw, each made anew. */
const thrown: Readonly<Record<string, () => unknown>> = {
  "an error": () => new Error("canary"),
  "a text": () => "canary",
  null: () => null,
  undefined: () => undefined,
  "a proxy that throws at every touch": untouchable,
  "an error whose properties throw": withGetters,
  "a frozen error": () => Object.freeze(new TypeError("canary")),
};

/** What a function can end with that is no value: a title, what it throws, and the function. */
export interface WayToThrow {
  readonly title: string;
  readonly what: unknown;
  readonly run: () => never;
}

/** Every way to throw at once. */
export const waysToThrow: readonly WayToThrow[] = Object.entries(thrown).map(([title, make]) => {
  const what = make();
  return {
    title,
    what,
    run() {
      throw what;
    },
  };
});

/** And every way to reject instead, of a function that should give its value at once. */
export const waysToFail: readonly WayToThrow[] = [
  ...waysToThrow,
  ...waysToThrow.map(({ title, what }) => ({ title: `${title}, later`, what, run: () => Promise.reject(what) as never })),
];
