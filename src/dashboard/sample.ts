/** A selection of what comes, even over time, that never holds more than `most`: of every so many one is kept, and twice as many once it is full. */
export interface Sample<T> {
  add(item: T): void;
  /** What was kept since it was taken last. */
  take(): T[];
}

/** An empty one. */
export function makeSample<T>(most: number): Sample<T> {
  let kept: T[] = [];
  let stride = 1;
  let seen = 0;
  return {
    add(item) {
      if (seen++ % stride !== 0) return;
      if (kept.length === most) {
        kept = kept.filter((_, place) => place % 2 === 0);
        stride *= 2;
        if ((seen - 1) % stride !== 0) return;
      }
      kept.push(item);
    },
    take() {
      const taken = kept;
      kept = [];
      stride = 1;
      seen = 0;
      return taken;
    },
  };
}
