// The file of a capture: made anew, for its owner alone, never longer than it may be, and whole blocks whatever happens to the disk.

import { closeSync, constants, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { isAbsolute } from 'node:path';

/** Its message says what the operator can do about it. */
export class CaptureFileError extends Error {}

const reasons: { [code: string]: string } = {
  EEXIST: 'it exists, and nothing is written over: take another name or remove it',
  ENOENT: 'there is no such directory',
  ENOTDIR: 'there is no such directory',
  EACCES: 'not permitted',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left on the device',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file system takes no file so large',
  ENAMETOOLONG: 'the name is too long',
};

function failure(path: string, error: unknown): CaptureFileError {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return new CaptureFileError(`${path}: ${reasons[code] ?? (error as Error).message}`);
}

export class CaptureFile {
  private length = 0;
  private closed = false;

  /** @param first block of it @throws CaptureFileError when it cannot be made: then nothing of it stays */
  static create(path: string, first: Uint8Array): CaptureFile {
    if (!isAbsolute(path)) throw new CaptureFileError(`${path}: a path from the root is needed: the router runs in another directory`);
    let fd: number;
    try {
      fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    } catch (error) {
      throw failure(path, error);
    }
    const file = new CaptureFile(path, fd);
    try {
      file.append(first);
    } catch (error) {
      file.discard();
      throw error;
    }
    return file;
  }

  private constructor(
    private readonly path: string,
    private readonly fd: number,
  ) {}

  /** Bytes written. */
  get size(): number {
    return this.length;
  }

  /** All of it or nothing. @throws CaptureFileError */
  append(block: Uint8Array): void {
    try {
      for (let done = 0; done < block.length; ) done += writeSync(this.fd, block, done, block.length - done, this.length + done);
    } catch (error) {
      ftruncateSync(this.fd, this.length);
      throw failure(this.path, error);
    }
    this.length += block.length;
  }

  /** It was of no use. */
  discard(): void {
    this.close();
    unlinkSync(this.path);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    closeSync(this.fd);
  }
}
