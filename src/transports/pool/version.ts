/** The version in package.json: pools are shared by copies of one version only. */
export const VERSION = "0.2.0";
