/** Ends the command with one line on stderr and exit status 1. */
export class CliError extends Error {}
