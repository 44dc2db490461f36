/** For how long the same failure is counted instead of told. */
export const FOLD_MS = 10_000;

/** Tells lines, and of those that come again and again how many there were. */
export interface RepeatedLines {
  /** Tells `line` at once, unless one with this `key` was told in the last ten seconds: then it is counted, and the count is told after them. */
  tell(key: string, line: string): void;
  /** Tells the counts that are still due, and counts no more. */
  end(): void;
}

/** Writes through `write`. Holds up no process that has nothing else to do. */
export function createRepeatedLines(write: (line: string) => void): RepeatedLines {
  const counting = new Map<string, { count: number; readonly timer: NodeJS.Timeout }>();
  const within = ` in ${FOLD_MS / 1_000} s`;

  const begin = (key: string) => {
    const timer = setTimeout(() => {
      const count = counting.get(key)?.count ?? 0;
      counting.delete(key);
      if (count === 0) return;
      write(`… ${count} more${within}: ${key}`);
      // what goes on is not told anew
      begin(key);
    }, FOLD_MS);
    counting.set(key, { count: 0, timer: timer.unref() });
  };

  return {
    tell(key, line) {
      const known = counting.get(key);
      if (known !== undefined) known.count += 1;
      else {
        write(line);
        begin(key);
      }
    },
    end() {
      for (const [key, { count, timer }] of counting) {
        clearTimeout(timer);
        if (count > 0) write(`… ${count} more: ${key}`);
      }
      counting.clear();
    },
  };
}
