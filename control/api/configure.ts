// Bodies of the control socket's requests that change the configuration: one line of an interactive edit, and an exec line with the text of
// the file that it names (the command reads the file, with its user's rights, and not control).

import { z } from 'zod';
import { ApiError, callApi } from './client.js';

/** Bytes of a request that carries a configuration. */
export const MaxConfigBytes = 32 << 20;

const line = z.string().max(4096);
/** A banner comes whole, with its line ends. */
const configurationLine = z.string().max(8192);

/** `line: null` is `configure terminal`. `session` is the caller's own, random name. */
export const editRequestSchema = z.strictObject({ session: z.string().min(8).max(64), line: configurationLine.nullable() });
export type EditRequest = z.infer<typeof editRequestSchema>;

export const editResponseSchema = z.object({
  /** IOS's `% ...` line; null = taken. */
  error: z.string().nullable(),
  /** 0-based place of the `^` marker in the line. */
  column: z.number().nullable(),
  messages: z.array(z.string()),
  /** Configuration mode is left. */
  ended: z.boolean(),
  /** By the name in its prompt. */
  mode: z.string(),
  hostname: z.string(),
});
export type EditResponse = z.infer<typeof editResponseSchema>;

export const fileRequestSchema = z.strictObject({ line, text: z.string() });

/** @throws ApiError */
export async function postEdit(socketPath: string, body: EditRequest): Promise<EditResponse> {
  const parsed = editResponseSchema.safeParse(await callApi(socketPath, 'POST', '/configure', body));
  if (!parsed.success) throw new ApiError('control and this command are of different versions');
  return parsed.data;
}
