/**
 * Conditions and classes of conditions by SQLSTATE, in English; the commonest conditions by themselves, the others by their class.
 * Source: PostgreSQL documentation, error codes.
 */
const names =
  "22001 string data right truncation|22003 numeric value out of range|22007 invalid datetime format|22012 division by zero|" +
  "22P02 invalid text representation|23502 not null violation|23503 foreign key violation|23505 unique violation|23514 check violation|" +
  "28P01 invalid password|40001 serialization failure|40P01 deadlock detected|42501 insufficient privilege|42601 syntax error|" +
  "42703 undefined column|42883 undefined function|42P01 undefined table|42P07 duplicate table|53300 too many connections|" +
  "55P03 lock not available|57014 query canceled|" +
  "00 successful completion|01 warning|02 no data|" +
  "08 connection exception|0A feature not supported|21 cardinality violation|22 data exception|23 integrity constraint violation|" +
  "25 invalid transaction state|26 invalid sql statement name|28 invalid authorization specification|2B dependent objects still exist|" +
  "34 invalid cursor name|3B savepoint exception|3D invalid catalog name|3F invalid schema name|40 transaction rollback|" +
  "42 syntax error or access rule violation|53 insufficient resources|54 program limit exceeded|55 object not in prerequisite state|" +
  "57 operator intervention|58 system error|OC transaction conflict|P0 error of a function|XX internal error|";

/** The English name of a condition, for servers that speak another language. */
export function conditionName(sqlState: string): string {
  for (const code of [sqlState, sqlState.slice(0, 2)]) {
    const at = `|${names}`.indexOf(`|${code} `);
    if (at >= 0) return names.slice(at + code.length + 1, names.indexOf("|", at));
  }
  return "refused by the server";
}
