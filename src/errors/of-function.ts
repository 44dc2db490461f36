/** Whether a function said it, as with RAISE: its fields may hold anything. */
export function isOfFunction(routine: string | null | undefined): boolean {
  return saysAnything.test(routine ?? "");
}

/** Routines that hand on what others say. Source: PostgreSQL 18, `pl_exec.c`, `plpy_elog.c`, `plperl.c`, `pltcl.c`, `dblink.c`, `connection.c`. */
const saysAnything = /^(exec_stmt_|PLy_|plperl|pltcl|throw_tcl|dblink|pgfdw)/;
