// The files that the page consists of, all from this installation: the compiled modules of client/, uPlot from its npm package, the two texts. Read when they
// are first asked for; a browser that has one asks whether it is still the same.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { markup } from './markup.js';
import { style } from './style.js';

export interface PageFile {
  type: string;
  body: Buffer;
  /** As in the header ETag. */
  tag: string;
}

const html = 'text/html; charset=utf-8';
const css = 'text/css; charset=utf-8';
const javascript = 'text/javascript; charset=utf-8';

const ofClient = (name: string) => () => readFile(join(import.meta.dirname, 'client', name));
const ofPackage = (path: string) => () => readFile(createRequire(import.meta.url).resolve(path));
const text = (content: string) => async () => Buffer.from(content);

const sources = new Map<string, [type: string, read: () => Promise<Buffer>]>([
  ['/', [html, text(markup)]],
  ['/page.css', [css, text(style)]],
  ['/uplot.css', [css, ofPackage('uplot/dist/uPlot.min.css')]],
  ['/uplot.js', [javascript, ofPackage('uplot/dist/uPlot.iife.min.js')]],
  ...['main.js', 'dom.js', 'format.js', 'layout.js', 'plots.js', 'series.js', 'tables.js', 'topology.js'].map(
    (name): [string, [string, () => Promise<Buffer>]] => [`/client/${name}`, [javascript, ofClient(name)]],
  ),
]);

const files = new Map<string, PageFile>();

/** @returns null when the page has no such file. @throws Error when it cannot be read: the installation is not whole */
export async function pageFile(path: string): Promise<PageFile | null> {
  const source = sources.get(path);
  if (!source) return null;
  const known = files.get(path);
  if (known) return known;
  const body = await source[1]();
  const file = { type: source[0], body, tag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
  files.set(path, file);
  return file;
}
