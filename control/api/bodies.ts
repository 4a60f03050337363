// Bodies of the control socket's POST requests: JSON text -> what is asked for, or why it cannot be.

import { z } from 'zod';
import { type EditRequest, editRequestSchema, fileRequestSchema } from './configure.js';

export class RequestError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}

const execBody = z.strictObject({
  line: z
    .string()
    .min(1)
    .max(4096)
    .regex(/^[^\p{Cc}]*$/u, 'control characters'),
});

/** @param form what it must be, in words */
function parseBody<T>(schema: z.ZodType<T>, form: string, text: string): T {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new RequestError(400, 'body is not JSON');
  }
  const body = schema.safeParse(parsed);
  if (!body.success) throw new RequestError(400, `body must be ${form}`);
  return body.data;
}

/** One exec line. @throws RequestError */
export function readExecBody(text: string): string {
  return parseBody(execBody, '{"line": "one exec line"} of at most 4096 characters', text).line;
}

/** @throws RequestError */
export function readEditBody(text: string): EditRequest {
  return parseBody(editRequestSchema, '{"session": "NAME", "line": "one configuration line" | null}', text);
}

/** An exec line with the text of the file that it names. @throws RequestError */
export function readFileBody(text: string): z.infer<typeof fileRequestSchema> {
  return parseBody(fileRequestSchema, '{"line": "one exec line", "text": "a configuration"}', text);
}
