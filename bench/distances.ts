/** How far away the far database is, milliseconds: all that the server says comes so much later. */
export const FAR_MS = 10;
/** How far away the database is to which connections are opened, milliseconds: so much that nothing else of a wait counts. */
export const COLD_MS = 100;
