import { randomUUID } from "node:crypto";
import type { Random } from "../support/random.ts";

/** How a transfer is sent. */
export type Form = "transaction" | "batch" | "query";

/** Money on its way from one account to another. */
export interface Transfer {
  /** Unlike that of any other transfer. */
  readonly id: string;
  /** With it the transfer is done at most once, and sent until it is acknowledged. */
  readonly keyed: boolean;
  readonly debtor: number;
  readonly creditor: number;
  readonly amount: number;
  readonly form: Form;
}

/** Accounts, numbered from 1, and what each holds at the beginning. */
export const ACCOUNTS = 400;
export const OPENING_BALANCE = 1_000;
/** What one transfer may move; the table refuses more. */
const LARGEST_AMOUNT = 100;
const REFUSED_AMOUNT = 1_000;

/**
 * The tables. Only the key is unique: a transfer that was sent twice without one shows as two rows. A transfer that is too large is refused, and in
 * a transaction that comes after its money has moved.
 */
export const schema = `
  create table accounts (id int primary key, balance bigint not null);
  create table transfers (id text not null, key text unique, debtor int not null, creditor int not null,
    amount int not null check (amount <= ${LARGEST_AMOUNT}));
  create index on transfers (id);
  insert into accounts select id, ${OPENING_BALANCE} from generate_series(1, ${ACCOUNTS}) as id;`;

/** The next transfer of a seeded run: with `keys` every second one has a key, and every twentieth without one asks for too much. */
export function nextTransfer(random: Random, { forms, keys }: { readonly forms: readonly Form[]; readonly keys: boolean }): Transfer {
  const keyed = random.once(2) && keys;
  const debtor = random.between(1, ACCOUNTS);
  const step = random.between(1, ACCOUNTS - 1);
  const tooMuch = random.once(20);
  const amount = random.between(1, LARGEST_AMOUNT);
  return {
    id: randomUUID(),
    keyed,
    debtor,
    creditor: ((debtor - 1 + step) % ACCOUNTS) + 1,
    amount: tooMuch && !keyed ? REFUSED_AMOUNT : amount,
    form: random.pick(forms),
  };
}
