import type pg from "pg";
import { ConnectionError } from "../../errors/errors.ts";
import { connectTimeout } from "../failure.ts";
import { askBySync, destroySocket } from "./client-state.ts";
import type { Opened } from "./lease.ts";

/** How long a connection may be silent before a replacement is opened beside it, milliseconds. A busy pooler answers late, and is healthy. */
const SILENCE_MS = 250;

/** A connection that was asked, and where another comes from. */
export interface Asked {
  readonly client: pg.PoolClient;
  /** Resolves with whether it answered; false when it is lost. */
  readonly answer: Promise<boolean>;
  /** Bounds opening a connection, milliseconds; 0 for no bound. */
  readonly connectTimeoutMs: number;
  /** Opens a connection beside those the pool may have. */
  openBeside(opened: (error: Error | undefined, fresh: Opened | undefined) => void): void;
  /** Takes what was opened and is not needed. */
  giveSurplus(fresh: Opened): void;
}

/**
 * Waits for a connection that was asked; resolves with undefined when it answers, and with its replacement when that is ready first. One that
 * is lost is replaced by the next that opens. One that is only silent has to lose to an answer: behind a busy pooler a new connection opens
 * at once and would wait as long, so the new one is asked too, and where none can be had there is still the silent one to wait for.
 * @throws {WarmlineError} what kept the replacement from opening, when both failed, or stayed silent for the time opening may take
 */
export function answerOrReplacement(asked: Asked): Promise<Opened | undefined> {
  return new Promise((resolve, reject) => {
    const { connectTimeoutMs } = asked;
    let open = true;
    let lost = false;
    let opening = false;
    let beside: Opened | undefined;
    let refusal: Error | undefined;
    let limit: NodeJS.Timeout | undefined;

    const settle = (end: () => void) => {
      if (!open) return;
      open = false;
      clearTimeout(silence);
      clearTimeout(limit);
      if (beside !== undefined) destroySocket(beside.client);
      end();
    };
    const refuse = (error: Error | undefined) => {
      refusal = error;
      if (lost) settle(() => reject(refusal));
    };
    const take = (fresh: Opened) => {
      beside = undefined;
      settle(() => resolve(fresh));
    };
    const compare = async (fresh: Opened) => {
      beside = fresh;
      if ((await askBySync(fresh.client)) && open) return take(fresh);
      beside = undefined;
      fresh.toPool(true);
      refuse(lostToo());
    };
    const replace = () => {
      if (opening) return;
      opening = true;
      if (connectTimeoutMs > 0) {
        const giveUp = () => settle(() => reject(refusal ?? connectTimeout(placeOf(asked.client), connectTimeoutMs)));
        limit = setTimeout(giveUp, connectTimeoutMs);
      }
      asked.openBeside((error, fresh) => {
        if (fresh === undefined) refuse(error);
        else if (!open) asked.giveSurplus(fresh);
        else if (lost) take(fresh);
        else void compare(fresh);
      });
    };
    const silence = setTimeout(replace, SILENCE_MS);
    void asked.answer.then((alive) => {
      if (alive) return settle(() => resolve(undefined));
      lost = true;
      if (!open) return;
      if (refusal !== undefined) refuse(refusal);
      else replace();
    });
  });
}

function placeOf(client: pg.PoolClient): string {
  const { host, port } = client as unknown as { readonly host: string; readonly port: number };
  return `${host}:${port}`;
}

function lostToo(): ConnectionError {
  return new ConnectionError("The connection was lost, and the one opened in its place too. Nothing was sent.", {
    code: "CONNECTION_LOST",
    fate: "not-sent",
    retryable: true,
  });
}
