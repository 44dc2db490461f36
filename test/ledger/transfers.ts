import { randomUUID } from "node:crypto";
import type { Random } from "../support/random.ts";

/** What a transfer is made of, as far as its fate goes: `plain` is DML, which an ERROR undoes whole. */
export const kinds = ["plain", "call", "do", "script", "session"] as const;

/** One of {@link kinds}. */
export type Kind = (typeof kinds)[number];

/** How a transfer is sent. */
export type Form = "transaction" | "batch" | "query" | Exclude<Kind, "plain">;

/** Money on its way from one account to another. */
export interface Transfer {
  /** Its entries: `script` and `session` move the amount twice, one after the other. No other transfer has one of them. */
  readonly entries: readonly [string, ...string[]];
  /** With it each entry is made at most once, and the transfer is sent until it is acknowledged. */
  readonly keyed: boolean;
  readonly debtor: number;
  readonly creditor: number;
  readonly amount: number;
  readonly form: Form;
  /** SQLSTATE it raises itself behind its first COMMIT; one with a key, which is sent again, raises nothing when its entry is there. */
  readonly raises: string | undefined;
}

/** Accounts, numbered from 1, and what each holds at the beginning. */
export const ACCOUNTS = 400;
export const OPENING_BALANCE = 1_000;
/** What one transfer may move; the table refuses more. */
const LARGEST_AMOUNT = 100;
const REFUSED_AMOUNT = 1_000;
/** What would be repeated if nothing were done, and what would not. */
const raised = ["40001", "22012"] as const;

/**
 * The tables, and what is called. Only the key is unique: a transfer that was sent twice without one shows as two rows. A transfer that is too
 * large is refused, and in a transaction that comes after its money has moved.
 */
export const schema = `
  create table accounts (id int primary key, balance bigint not null);
  create table transfers (id text not null, key text unique, debtor int not null, creditor int not null,
    amount int not null check (amount <= ${LARGEST_AMOUNT}));
  create index on transfers (id);
  insert into accounts select id, ${OPENING_BALANCE} from generate_series(1, ${ACCOUNTS}) as id;
  create function raise(_state text) returns void language plpgsql as $$
    begin raise exception 'raised on purpose' using errcode = _state; end $$;
  create function move(_id text, _key text, _debtor int, _creditor int, _amount int) returns boolean language plpgsql as $$
    begin
      insert into transfers values (_id, _key, _debtor, _creditor, _amount) on conflict (key) do nothing;
      if not found then return false; end if;
      update accounts set balance = balance + case id when _debtor then -1 else 1 end * _amount where id in (_debtor, _creditor);
      return true;
    end $$;
  create procedure move_and_commit(_id text, _key text, _debtor int, _creditor int, _amount int, _raises text) language plpgsql as $$
    begin
      if move(_id, _key, _debtor, _creditor, _amount) then
        commit;
        if _raises is not null then perform raise(_raises); end if;
      end if;
    end $$;`;

/** What a form is counted as. */
export function kindOf(form: Form): Kind {
  return form === "transaction" || form === "batch" || form === "query" ? "plain" : form;
}

/**
 * The next transfer of a seeded run: half of them are plain where other forms are among them. With `keys` every second one has a key, and every
 * twentieth without one asks for too much. Of those that commit by themselves every third raises an error afterwards.
 */
export function nextTransfer(random: Random, { forms, keys }: { readonly forms: readonly Form[]; readonly keys: boolean }): Transfer {
  const keyed = random.once(2) && keys;
  const debtor = random.between(1, ACCOUNTS);
  const step = random.between(1, ACCOUNTS - 1);
  const tooMuch = random.once(20);
  const amount = random.between(1, LARGEST_AMOUNT);
  const form = random.pick(eitherKind(forms, random.once(2)));
  const raises = random.once(3) ? random.pick(raised) : undefined;
  const id = randomUUID();
  const twice = form === "script" || form === "session";
  return {
    entries: twice ? [id, `${id}/2`] : [id],
    keyed,
    debtor,
    creditor: ((debtor - 1 + step) % ACCOUNTS) + 1,
    amount: tooMuch && !keyed ? REFUSED_AMOUNT : amount,
    form,
    // a text that is sent again until it succeeds cannot fail each time
    raises: kindOf(form) === "plain" || (twice && keyed) ? undefined : raises,
  };
}

/** The plain forms, or the others; all of them where one kind is missing. */
function eitherKind(forms: readonly Form[], plain: boolean): readonly Form[] {
  const chosen = forms.filter((form) => (kindOf(form) === "plain") === plain);
  return chosen.length > 0 ? chosen : forms;
}
