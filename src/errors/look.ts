/** Looks at what somebody else's code threw or gave, which may throw again at every touch, as a proxy does: then it is `otherwise`. */
export function look<T>(at: () => T, otherwise: T): T {
  try {
    return at();
  } catch {
    return otherwise;
  }
}

/** Lets a promise that was given for something else, and is refused, reject without anybody hearing it. One of another make is not touched: it may only begin when it is. */
export function leaveAlone(promise: unknown): void {
  look(() => void Promise.prototype.then.call(promise as Promise<unknown>, undefined, () => {}), undefined);
}
