import { invalidDate, type Party, unsupported } from "./refuse-value.ts";

/** After so many years the calendar begins anew, and so many milliseconds are in them. */
const CYCLE_YEARS = 400;
const CYCLE_MS = 146_097 * 86_400_000;

const pad = (number: number, width = 2) => String(number).padStart(width, "0");

/**
 * A Date as local time with its offset, as pg writes it: right for `timestamptz`, and the local reading for `timestamp` and `date`. The
 * offset is what lies between the reading and the instant, to the second: getTimezoneOffset knows whole minutes only, and before standard
 * time most places were off by seconds.
 *
 * @throws UsageError INVALID_DATE, UNSUPPORTED_VALUE
 */
export function encodeDate(date: Date, party: Party): string {
  const instant = instantOf(date, party);
  const year = date.getFullYear();
  const [month, day, hour, minute] = [date.getMonth(), date.getDate(), date.getHours(), date.getMinutes()];
  const [second, ms] = [date.getSeconds(), date.getMilliseconds()];
  // reckoned in the years from 2000, for in those before 100 and in the last a Date holds, Date.UTC errs
  const cycles = Math.floor(year / CYCLE_YEARS);
  const reading = Date.UTC(2000 + year - cycles * CYCLE_YEARS, month, day, hour, minute, second, ms);
  const offset = Math.round((reading + (cycles - 2000 / CYCLE_YEARS) * CYCLE_MS - instant) / 1000);
  const distance = Math.abs(offset);
  const seconds = distance % 60 === 0 ? "" : `:${pad(distance % 60)}`;
  const zone = `${offset < 0 ? "-" : "+"}${pad(Math.floor(distance / 3600))}:${pad(Math.floor(distance / 60) % 60)}${seconds}`;
  return (
    `${pad(year < 1 ? 1 - year : year, 4)}-${pad(month + 1)}-${pad(day)}T${pad(hour)}:${pad(minute)}:${pad(second)}.${pad(ms, 3)}` +
    `${zone}${year < 1 ? " BC" : ""}`
  );
}

function instantOf(date: Date, party: Party): number {
  let instant: number;
  try {
    instant = Date.prototype.getTime.call(date);
  } catch {
    throw unsupported(party, "is no Date, and says it is");
  }
  if (Number.isNaN(instant)) throw invalidDate(party);
  return instant;
}
